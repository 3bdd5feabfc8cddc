/** A longer array in the place of one that is full: `into`, which begins with what `from` has. */
export const grown = <A extends Float64Array | Int32Array | Uint8Array>(from: A, into: A): A => {
  into.set(from)
  return into
}
