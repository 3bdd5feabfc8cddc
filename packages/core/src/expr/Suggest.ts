/**
 * "Did you mean": the known name nearest to a mistyped one. Messages of the checker use it.
 */

/** The nearest of the names, when it is near enough to be meant. */
export const nearest = (wanted: string, names: Iterable<string>): string | undefined => {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= bestDistance) continue
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/** Single insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
const editDistance = (from: string, to: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let least = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1))
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, before[column - 2]! + 1)
      }
      current.push(least)
    }
    before = previous
    previous = current
  }
  return previous[to.length]!
}
