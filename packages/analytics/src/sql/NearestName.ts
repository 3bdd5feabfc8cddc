/** The name that somebody may have meant. Pure. */

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

const nameLengthMax = 200

/** The nearest of `names`, or undefined when none is near. The part behind the dot alone counts as near. */
export const nearestName = (given: string, names: ReadonlyArray<string>): string | undefined => {
  const wanted = given.toLowerCase().slice(0, nameLengthMax)
  const scored = names
    .map((name) => {
      const lower = name.toLowerCase()
      const tail = lower.slice(lower.lastIndexOf(".") + 1)
      const tailOf = wanted.slice(wanted.lastIndexOf(".") + 1)
      return { name, score: Math.min(distance(wanted, lower), distance(tailOf, tail) + 1) }
    })
    .sort((a, b) => a.score - b.score)
  const best = scored[0]
  return best !== undefined && best.score <= Math.max(2, Math.floor(wanted.length / 3)) ? best.name : undefined
}
