/** How large a table's data files become: its property `write.target-file-size-bytes`, as Java's writers have it. Pure. */
import type { StringMap } from "./JsonRead.ts"

/** Where nobody says. */
export const fileBytesDefault = 128 * 1024 * 1024

/** The default where the property says nothing that is a size: another writer's mistake must not stop this one. */
export const fileBytesTargetOf = (properties: StringMap): number => {
  const bytes = Number(properties.get("write.target-file-size-bytes"))
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : fileBytesDefault
}
