/**
 * Code that compares the bytes at a place with bytes that are known: eight at a time, read as one double.
 *
 * Generated scanners and compiled expressions are made of it. A test a byte costs several times as much to compile, and more to run.
 */

/** How the code names the bytes, a DataView of them, and the place, which it may write several times. */
export interface BytesPlace {
  readonly bytes: string
  readonly view: string
  readonly at: string
}

/** Tests that all have to hold. The bytes must be there: a view refuses what lies beyond. */
export const bytesCode = (wanted: Uint8Array, { at, bytes, view }: BytesPlace): ReadonlyArray<string> => {
  const known = new DataView(wanted.buffer, wanted.byteOffset, wanted.byteLength)
  const { length } = wanted
  const tests: Array<string> = []
  let done = 0
  const four = (from: number) => tests.push(`${view}.getInt32(${at} + ${from}, true) === ${known.getInt32(from, true)}`)
  for (; done + 8 <= length; done += 8) {
    const double = known.getFloat64(done, true)
    // other bytes may be an equal zero, and no bytes are an equal NaN
    if (double === 0 || Number.isNaN(double)) {
      four(done)
      four(done + 4)
    } else tests.push(`${view}.getFloat64(${at} + ${done}, true) === ${double}`)
  }
  if (done + 4 <= length) {
    four(done)
    done += 4
  }
  // four that end with the last: some of them once more
  if (length >= 4 && done + 1 < length) four(length - 4)
  else for (; done < length; done++) tests.push(`${bytes}[${at} + ${done}] === ${wanted[done]}`)
  return tests
}
