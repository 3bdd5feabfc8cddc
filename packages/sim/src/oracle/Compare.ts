/** What was found against what the oracle has, as texts in any order. */

/** Empty when they are the same; else one line with a text too many and one that is missing. */
export const compare = (
  what: string,
  found: ReadonlyArray<string>,
  expected: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const [left, right] = [found.toSorted(), expected.toSorted()]
  if (JSON.stringify(left) === JSON.stringify(right)) return []
  const wanted = new Set(right)
  const extra = left.find((text, at) => !wanted.has(text) || left[at - 1] === text)
  const missing = right.find((text) => !left.includes(text))
  return [`${what}: ${found.length}, the oracle has ${expected.length}: too many ${extra}, missing ${missing}`]
}
