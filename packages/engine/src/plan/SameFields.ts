/** Whether two records are alike for who reads them. */
import type { FieldSpec, RecordShape } from "@frazil/core"

const told = ({ fields }: RecordShape): string =>
  JSON.stringify(fields.map(({ name, nullable, type }: FieldSpec) => JSON.stringify([name, nullable, type])).toSorted())

/** The same fields, in any order. */
export const sameFields = (left: RecordShape, right: RecordShape): boolean =>
  left === right || told(left) === told(right)
