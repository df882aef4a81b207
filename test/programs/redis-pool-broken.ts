// A module that workers cannot import.
throw new Error('it cannot be imported');
