/** How far time has come where the interpreter walks a record through the operators: what the compiled stage has in variables. */

/** What a repartition stamps by. */
export interface VisitClock {
  /** How far time had come before the row, or whatever else moved it. */
  readonly before: number
  /** How far it has come while results are given. */
  readonly now: number
  /** By how much a result's own time lies before the window's end. */
  readonly shiftMs: number
}

export const clockAt = (watermark: number): VisitClock => ({ before: watermark, now: watermark, shiftMs: 0 })
