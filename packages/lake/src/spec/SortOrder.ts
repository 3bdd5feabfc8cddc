/**
 * Sort orders: how rows are ordered within files (specification, "Sorting"). A wish to writers; readers gain by it but
 * never rely on it. Order 0 is "unsorted" and has no fields.
 */
import { corrupt } from "./FormatError.ts"
import type { JsonObject } from "./Json.ts"
import { readInt, readList, readObject, readString, type Read } from "./JsonRead.ts"
import { fieldsById, type TableSchema } from "./Schema.ts"
import { readSourceId } from "./SourceId.ts"
import { transformFromText, transformResult, transformToText, type Transform } from "./Transform.ts"
import { isPrimitive } from "./Type.ts"

export interface SortField {
  readonly sourceId: number
  readonly transform: Transform
  readonly direction: "asc" | "desc"
  readonly nullOrder: "nulls-first" | "nulls-last"
}

export interface SortOrder {
  readonly orderId: number
  readonly fields: ReadonlyArray<SortField>
}

export const unsorted: SortOrder = { orderId: 0, fields: [] }

/** What is wrong with an order for a table to be made with it; empty when nothing is. */
export const sortProblems = (order: SortOrder, schema: TableSchema): ReadonlyArray<string> => {
  const byId = fieldsById(schema)
  const problems: Array<string> = []
  if ((order.orderId === 0) !== (order.fields.length === 0)) {
    problems.push("sort order: id 0 is kept for the order without fields")
  }
  for (const field of order.fields) {
    const source = byId.get(field.sourceId)
    if (source === undefined || source.repeated || !isPrimitive(source.type)) {
      problems.push(`sort order: field ${field.sourceId} is no column that can be ordered`)
    } else if (transformResult(field.transform, source.type) === undefined) {
      problems.push(`sort order: ${transformToText(field.transform)} does not take column ${source.path.join(".")}`)
    }
  }
  return problems
}

export const sortOrderToJson = (order: SortOrder): JsonObject => ({
  "order-id": order.orderId,
  fields: order.fields.map((field) => ({
    transform: transformToText(field.transform),
    "source-id": field.sourceId,
    direction: field.direction,
    "null-order": field.nullOrder
  }))
})

const readField: Read<SortField> = (value, where) => {
  const object = readObject(value, where)
  const direction = readString(object["direction"], `${where}.direction`)
  const nullOrder = readString(object["null-order"], `${where}.null-order`)
  return {
    sourceId: readSourceId(object, where),
    transform: transformFromText(readString(object["transform"], `${where}.transform`), `${where}.transform`),
    direction:
      direction === "asc" || direction === "desc" ? direction : corrupt(`${where}.direction`, "not asc or desc"),
    nullOrder:
      nullOrder === "nulls-first" || nullOrder === "nulls-last"
        ? nullOrder
        : corrupt(`${where}.null-order`, "not nulls-first or nulls-last")
  }
}

export const sortOrderFromJson: Read<SortOrder> = (value, where) => {
  const object = readObject(value, where)
  return {
    orderId: readInt(object["order-id"], `${where}.order-id`),
    fields: readList(object["fields"], `${where}.fields`, readField)
  }
}
