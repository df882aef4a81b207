/** For `assert.throws`: an error of the operating system in Node's shape. */
export function osError(code: string): (error: unknown) => boolean {
  return (error) => {
    const { code: actual, errno, syscall } = error as NodeJS.ErrnoException;
    return (
      error instanceof Error && actual === code && typeof errno === 'number' && errno < 0 && typeof syscall === 'string'
    );
  };
}

/** For `assert.throws`: an error of this library with that code. */
export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && (error as { code?: string }).code === code;
}
