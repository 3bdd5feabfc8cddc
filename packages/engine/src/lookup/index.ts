/** The namespace `Lookup`: declaring what a flow asks, and how. */
export {
  type FailureKind,
  type FailureKinds,
  type LookupDeclaration,
  type LookupFailure,
  type LookupShape,
  type LookupTag,
  Service
} from "./Lookup.ts"
export type { LookupPolicy } from "./LookupPolicy.ts"
