/** How large a table's data files become: its property `write.target-file-size-bytes`, as Java's writers have it. Pure. */
import type { StringMap } from "./JsonRead.ts"

/** Where the property says nothing, or nothing that is a size: another writer's mistake must not stop this one. */
const fileBytesDefault = 128 * 1024 * 1024

export const fileBytesTargetOf = (properties: StringMap): number => {
  const bytes = Number(properties.get("write.target-file-size-bytes"))
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : fileBytesDefault
}
