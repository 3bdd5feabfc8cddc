/**
 * Filters as values, and whether rows could match: what a scan skips files by.
 *
 * Pure and one-sided: "false" means that no row can match; "true" promises nothing, so every reader applies its filter to
 * rows as well. Rows where a comparison is with null do not match.
 */
import { compareValues } from "../spec/Manifest.ts"
import type { SingleValue } from "../spec/SingleValue.ts"

export type Operator = "=" | "<" | "<=" | ">" | ">="

export type Filter =
  | { readonly _tag: "And"; readonly filters: ReadonlyArray<Filter> }
  | { readonly _tag: "Or"; readonly filters: ReadonlyArray<Filter> }
  /** `value` is of the column's type, as `SingleValue` has it. */
  | { readonly _tag: "Compare"; readonly column: string; readonly operator: Operator; readonly value: SingleValue }
  | { readonly _tag: "IsNull"; readonly column: string }
  | { readonly _tag: "NotNull"; readonly column: string }

/** What is known of a column's values in some set of rows. */
export interface Evidence {
  readonly mayHaveNull: boolean
  readonly mayHaveValue: boolean
  /** Whether a value may be in this relation to `value`. */
  readonly mayCompare: (operator: Operator, value: SingleValue) => boolean
}

/** All evidence for a column, by its full name; every piece must allow a match. Empty when nothing is known. */
export type EvidenceOf = (column: string) => ReadonlyArray<Evidence>

/** False when no row can match. */
export const mayMatch = (filter: Filter, evidenceOf: EvidenceOf): boolean => {
  switch (filter._tag) {
    case "And":
      return filter.filters.every((each) => mayMatch(each, evidenceOf))
    case "Or":
      return filter.filters.some((each) => mayMatch(each, evidenceOf))
    case "IsNull":
      return evidenceOf(filter.column).every((evidence) => evidence.mayHaveNull)
    case "NotNull":
      return evidenceOf(filter.column).every((evidence) => evidence.mayHaveValue)
    case "Compare":
      return evidenceOf(filter.column).every(
        (evidence) => evidence.mayHaveValue && evidence.mayCompare(filter.operator, filter.value)
      )
  }
}

/** Whether a value between the bounds (inclusive; undefined: unknown) may be in this relation to `value`. */
export const mayBeWithin = (
  lower: SingleValue | undefined,
  upper: SingleValue | undefined,
  operator: Operator,
  value: SingleValue
): boolean => {
  const notBelow = upper === undefined || compareValues(upper, value) >= 0
  const notAbove = lower === undefined || compareValues(lower, value) <= 0
  switch (operator) {
    case "=":
      return notBelow && notAbove
    case "<":
      return lower === undefined || compareValues(lower, value) < 0
    case "<=":
      return notAbove
    case ">":
      return upper === undefined || compareValues(upper, value) > 0
    case ">=":
      return notBelow
  }
}
