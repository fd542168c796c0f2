// What pages load as `/widget.js`: a name that never changes, and only the way to scripts that browsers keep by their content.
import './element';
