/**
 * A set of row positions of one data file, as the runs that they form: what a deletion vector holds. Immutable.
 *
 * **Bounds**: 16 bytes a run. Positions are numbers, exact up to 2^53.
 */
export class RowPositions {
  static readonly none = new RowPositions(new Float64Array(0))

  /** First position, and the one after the last, of each run: ascending, and runs never touch. */
  readonly bounds: Float64Array
  readonly count: number

  private constructor(bounds: Float64Array) {
    this.bounds = bounds
    let count = 0
    for (let i = 0; i < bounds.length; i += 2) count += bounds[i + 1]! - bounds[i]!
    this.count = count
  }

  /** From runs in any order, which may overlap: first positions, and those after the last, in turn. */
  static fromRuns(bounds: ReadonlyArray<number>): RowPositions {
    const runs: Array<readonly [number, number]> = []
    for (let i = 0; i < bounds.length; i += 2) runs.push([bounds[i]!, bounds[i + 1]!])
    // most writers give them in order
    if (runs.some(([from], i) => i > 0 && from < runs[i - 1]![0])) runs.sort(([a], [b]) => a - b)
    const joined: Array<number> = []
    for (const [from, to] of runs) {
      if (from >= to) continue
      const last = joined.length - 1
      if (last > 0 && from <= joined[last]!) joined[last] = Math.max(joined[last]!, to)
      else joined.push(from, to)
    }
    return new RowPositions(Float64Array.from(joined))
  }

  static fromPositions(positions: Iterable<number>): RowPositions {
    const bounds: Array<number> = []
    for (const position of positions) {
      if (bounds.at(-1) === position) bounds[bounds.length - 1] = position + 1
      else bounds.push(position, position + 1)
    }
    return RowPositions.fromRuns(bounds)
  }

  union(other: RowPositions): RowPositions {
    if (other.count === 0) return this
    return RowPositions.fromRuns([...this.bounds, ...other.bounds])
  }

  /** One after the highest; 0 of none. */
  get end(): number {
    return this.bounds.at(-1) ?? 0
  }

  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.bounds.length; i += 2)
      for (let position = this.bounds[i]!; position < this.bounds[i + 1]!; position++) yield position
  }
}
