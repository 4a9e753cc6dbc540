/* The browser client of Sluice. */
export const protocol = 'sluice.v1';
