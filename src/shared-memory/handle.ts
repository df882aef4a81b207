declare const handleBrand: unique symbol;

/**
 * Printable address of a shared object, as text that can be sent, stored or put into an environment variable. An
 * address, not a hold: it keeps nothing alive.
 */
export type Handle<T = unknown> = string & { readonly [handleBrand]: T };
