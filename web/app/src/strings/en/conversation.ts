// English: a conversation and the box to write in.
export const conversation = {
  messages: 'Messages',
  write: 'Message',
};
