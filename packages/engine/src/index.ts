export * from "./log/Log.ts"
export { LogError } from "./log/LogError.ts"
export { newOwner } from "./log/Owner.ts"
export { boundsOnce } from "./log/BoundsOnce.ts"
export { recordsBehind } from "./log/Behind.ts"
export * as Flow from "./flow/index.ts"
export type { Decider, RecordPlace } from "./flow/Decider.ts"
export * as Lookup from "./lookup/index.ts"
export * as Job from "./job/index.ts"
export { isInternalTopic } from "./plan/InternalTopics.ts"
export {
  makeStateSeal,
  type StateKeys,
  stateKeyBytes,
  stateKeyId,
  type StateSeal,
  StateSealing
} from "./state/StateSeal.ts"
export { CheckpointStore } from "./checkpoint/CheckpointStore.ts"
export { StateFolder, type StateFolderShape } from "./store/StateFolder.ts"
export { localStateFolder } from "./store/LocalStateFolder.ts"
export { keepMeasured, type Measured, MeasureKeeper } from "./run/Measures.ts"
export { fastCount } from "./run/ShardDetail.ts"
export { DeadLetters, type DeadLetterInput } from "./run/DeadLetters.ts"
export { Ledger, type LedgerInput } from "./run/Ledger.ts"
export { type LogReader, type RetentionOptions, runRetention, trimLog, type Trimmed } from "./run/Retention.ts"
export { Pattern, type SkipStrategy } from "./pattern/Pattern.ts"
export { State, type AggregateHandle, type ListHandle, type MapHandle, type ValueHandle } from "./keyed/State.ts"
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
  top,
  type Aggregate,
  type AggregateDefinition
} from "./window/Aggregate.ts"
export { Instances, type InstancesShape, type Share, shardWork } from "./instances/Instances.ts"
export { type Ends, makeEnds } from "./instances/Ends.ts"
export { whileMine } from "./instances/WhileMine.ts"
export { type Member, shareOut } from "./instances/ShareOut.ts"
export { redrive } from "./redrive/Redrive.ts"
