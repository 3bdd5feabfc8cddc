/**
 * Rules as the engine sees them: conditions that are asked of every record, and what follows where one holds.
 *
 * `packages/rules` makes them of rule documents, `Flow.decide` takes them. The engine checks the conditions against its own
 * records, compiles and interprets them; what a decision says is the decider's.
 */
import type { Expr } from "@frazil/core"

/** Where the record that is decided on stands. Behind a window: the record that made it fire. */
export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Reads records of `In`, gives decisions `D`. */
export interface Decider<in In, out D> {
  /** Asked in this order of every record; they cannot read fields that are hidden from rules. At most 10,000. */
  readonly conditions: ReadonlyArray<Expr<never, boolean>>
  /**
   * What follows from the condition with this index, which holds for the record. Must be a pure function of its arguments:
   * a replay decides again.
   */
  readonly decide: (condition: number, record: In, place: RecordPlace) => D
}
