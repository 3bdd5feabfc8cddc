/** The column that a partition or sort field is made of; format version 3 also writes it as a list of one. */
import { unsupported } from "./FormatError.ts"
import { readInt, readList, readObject, type Read } from "./JsonRead.ts"

export const readSourceId: Read<number> = (value, where) => {
  const { "source-id": sourceId, "source-ids": sourceIds } = readObject(value, where)
  if (sourceIds === undefined || sourceIds === null) return readInt(sourceId, `${where}.source-id`)
  const [first, ...others] = readList(sourceIds, `${where}.source-ids`, readInt)
  return first === undefined || others.length > 0
    ? unsupported(`${where}: a transform of several columns (source-ids) is not read here`)
    : first
}
