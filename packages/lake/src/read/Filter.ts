/**
 * Filters as values, and whether rows could match: what a scan skips files by.
 *
 * Pure and one-sided: "false" means that no row can match; "true" promises nothing, so every reader applies its filter to
 * rows as well. Rows where a comparison is with null do not match.
 */
import { incrementText } from "../spec/Bounds.ts"
import { compareValues } from "../spec/Manifest.ts"
import type { SingleValue } from "../spec/SingleValue.ts"

export const operators = ["=", "<", "<=", ">", ">="] as const

export type Operator = (typeof operators)[number]

export type Filter =
  | { readonly _tag: "And"; readonly filters: ReadonlyArray<Filter> }
  | { readonly _tag: "Or"; readonly filters: ReadonlyArray<Filter> }
  /** `value` is of the column's type, as `SingleValue` has it. */
  | { readonly _tag: "Compare"; readonly column: string; readonly operator: Operator; readonly value: SingleValue }
  | { readonly _tag: "IsNull"; readonly column: string }
  | { readonly _tag: "NotNull"; readonly column: string }
  /** One of the values, each of the column's type. */
  | { readonly _tag: "In"; readonly column: string; readonly values: ReadonlyArray<SingleValue> }
  /** Of a column of text. */
  | { readonly _tag: "StartsWith"; readonly column: string; readonly prefix: string }
  /** As SQL has it: where the filter compares with null, its opposite does not match either. */
  | { readonly _tag: "Not"; readonly filter: Filter }

/** What is known of a column's values in some set of rows. */
export interface Evidence {
  readonly mayHaveNull: boolean
  readonly mayHaveValue: boolean
  /** Whether a value may be in this relation to `value`. */
  readonly mayCompare: (operator: Operator, value: SingleValue) => boolean
}

/** All evidence for a column, by its full name; every piece must allow a match. Empty when nothing is known. */
export type EvidenceOf = (column: string) => ReadonlyArray<Evidence>

/** Names of the columns that the filter asks about. */
export const columnsOf = (filter: Filter): ReadonlySet<string> => {
  switch (filter._tag) {
    case "And":
    case "Or":
      return new Set(filter.filters.flatMap((each) => Array.from(columnsOf(each))))
    case "Not":
      return columnsOf(filter.filter)
    default:
      return new Set([filter.column])
  }
}

const mayCompare = (evidence: ReadonlyArray<Evidence>, operator: Operator, value: SingleValue): boolean =>
  evidence.every((each) => each.mayCompare(operator, value) && each.mayHaveValue)

const opposite: Readonly<Record<Exclude<Operator, "=">, Operator>> = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" }

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
      return mayCompare(evidenceOf(filter.column), filter.operator, filter.value)
    case "In": {
      const evidence = evidenceOf(filter.column)
      return filter.values.some((value) => mayCompare(evidence, "=", value))
    }
    case "StartsWith": {
      const evidence = evidenceOf(filter.column)
      // texts with the prefix lie between it and the next of its length
      const next = incrementText(filter.prefix)
      return mayCompare(evidence, ">=", filter.prefix) && (next === undefined || mayCompare(evidence, "<", next))
    }
    case "Not":
      return mayFail(filter.filter, evidenceOf)
  }
}

/** False when the filter's opposite can match no row. */
const mayFail = (filter: Filter, evidenceOf: EvidenceOf): boolean => {
  const mayHaveValue = (column: string) => evidenceOf(column).every((evidence) => evidence.mayHaveValue)
  switch (filter._tag) {
    case "And":
      return filter.filters.some((each) => mayFail(each, evidenceOf))
    case "Or":
      return filter.filters.every((each) => mayFail(each, evidenceOf))
    case "IsNull":
      return mayMatch({ _tag: "NotNull", column: filter.column }, evidenceOf)
    case "NotNull":
      return mayMatch({ _tag: "IsNull", column: filter.column }, evidenceOf)
    case "Compare":
      // bounds may be shortened: they never say that all values are the same
      return filter.operator === "="
        ? mayHaveValue(filter.column)
        : mayMatch({ ...filter, operator: opposite[filter.operator] }, evidenceOf)
    case "In":
      // none of no values is every row, those with null too
      return filter.values.length === 0 || mayHaveValue(filter.column)
    case "StartsWith":
      return mayHaveValue(filter.column)
    case "Not":
      return mayMatch(filter.filter, evidenceOf)
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
