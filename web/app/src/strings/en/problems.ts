// English: failures that happen on this side; what the server refuses has its sentences in the protocol's table.
export const problems = {
  offline: 'That needs a connection to the server.',
  unreachable: 'The server cannot be reached.',
  bad_answer: 'The server’s answer cannot be read.',
  timed_out: 'The server did not answer in time.',
  outbox_full: 'Too many messages wait to be sent.',
  no_such_send: 'There is nothing to change in this message.',
  cache: 'This browser could not store it.',
  stopped: 'Nobody is logged in.',
};
