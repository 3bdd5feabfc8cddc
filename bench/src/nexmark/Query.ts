/**
 * A query of Nexmark as a value: what it asks, the topic of its answer, the flow that gives it, and what a final row is.
 *
 * Columns have the names of the query's select list in nexmark-flink, in snake case; where that has none, or one name
 * twice, those of its sink.
 */
import type { Topic } from "@frazil/core"
import type { Flow } from "@frazil/engine"
import type { EventKey, Input } from "./Event.ts"

export interface Query {
  readonly name: string
  /** What it asks, in a few words. */
  readonly asks: string
  /** What the events are partitioned by: events of a key meet in one place. */
  readonly keyedBy: EventKey
  /** Where the answer goes. */
  readonly output: Pick<Topic<never>, "name">
  /** The fields that name a final row: a later record of the same takes its place. Undefined: every record is a row. */
  readonly rowKey?: ReadonlyArray<string>
  readonly flow: (input: Input) => Flow.Output
  /** A job of its own that reads what the first wrote; it runs when that has ended. */
  readonly second?: () => Flow.Output
}
