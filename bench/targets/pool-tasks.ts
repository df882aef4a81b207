// What the workers of pools do: next to nothing.
export function identity(n: number): number {
  return n;
}

export function lengthOf(numbers: Float64Array): number {
  return numbers.length;
}
