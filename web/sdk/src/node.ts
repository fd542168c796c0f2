/** The package in Node: the same, with WebSockets where Node has none of its own. */

import { platform } from './platform.js';
import { NodeSocket } from './transport/node_socket.js';

platform.socket ??= (address) => new NodeSocket(address);

export * from './index.js';
