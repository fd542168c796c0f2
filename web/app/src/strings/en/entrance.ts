// English: signing up, logging in, recovering an account.
export const entrance = {
  name: 'Name',
  password: 'Password',
  logIn: 'Log in',
};
