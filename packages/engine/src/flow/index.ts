/** The namespace `Flow`: constructors, operators, endings, and the types a flow's user names. */
export type { Condition, FailureOf, Flow, Output, RecordOf, ServicesOf, Tags } from "./Flow.ts"
export type { Failed, TimeContext } from "./Node.ts"
export { has } from "@frazil/core"
export { from } from "./operators/From.ts"
export { eventTime } from "./operators/EventTime.ts"
export { filter } from "./operators/Filter.ts"
export { extend, stamp } from "./operators/Extend.ts"
export { flatMap, map, mapResult } from "./operators/Map.ts"
export { otherwise, route } from "./operators/Route.ts"
export { keyBy, type KeyByOptions } from "./operators/KeyBy.ts"
export { merge } from "./operators/Merge.ts"
export { mapWithState, type ValueState } from "./operators/MapWithState.ts"
export type { StateStore } from "./Store.ts"
export { window, type WindowResult } from "./operators/Window.ts"
export { deduplicate, type Deduplicated } from "./operators/Deduplicate.ts"
export {
  process,
  type Handlers,
  type ProcessContext,
  type ProcessDeclaration,
  type TimerOf
} from "./operators/Process.ts"
export { topN, type RankedRecord, type WindowRankedRecord } from "./operators/TopN.ts"
export { pattern, patternOf, patternWithTimeouts, type Match, type TimedOut } from "./operators/Pattern.ts"
export { lookup, lookupAs, type LookupOptions } from "./operators/Lookup.ts"
export { joinAsOf, type AsOfOptions } from "./operators/JoinAsOf.ts"
export { joinInterval, type IntervalOptions } from "./operators/JoinInterval.ts"
export { joinLatest, type LatestOptions } from "./operators/JoinLatest.ts"
export type { Joined } from "./operators/Joined.ts"
export { joinTable } from "./operators/JoinTable.ts"
export { decide } from "./operators/Decide.ts"
export { catchTag, catchTags, orDeadLetter } from "./operators/Catch.ts"
export { named, to, total, validate } from "./operators/To.ts"
