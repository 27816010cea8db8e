/** The database that the server keeps about itself. Its name breaks the rules, so no client can create or write it. */
export const INTERNAL_DATABASE = '_internal';
