export * from "./log/Log.ts"
export { LogError } from "./log/LogError.ts"
export { newOwner } from "./log/Owner.ts"
export { recordsBehind } from "./log/Behind.ts"
export * as Flow from "./flow/index.ts"
export type { Decider, RecordPlace } from "./flow/Decider.ts"
export * as Lookup from "./lookup/index.ts"
export * as Job from "./job/index.ts"
export { CheckpointStore } from "./checkpoint/CheckpointStore.ts"
export { DeadLetters, type DeadLetterInput } from "./run/DeadLetters.ts"
export { Ledger, type LedgerInput } from "./run/Ledger.ts"
export { type LogReader, type RetentionOptions, runRetention, trimLog, type Trimmed } from "./run/Retention.ts"
export { Pattern, type SkipStrategy } from "./pattern/Pattern.ts"
export { Window } from "./window/Window.ts"
export {
  aggregate,
  avg,
  collect,
  count,
  countDistinct,
  first,
  last,
  max,
  min,
  offsets,
  sum,
  type Aggregate,
  type AggregateDefinition
} from "./window/Aggregate.ts"
export { redrive } from "./redrive/Redrive.ts"
