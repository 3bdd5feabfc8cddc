/** Where a data file lies below its table's data folder: in a folder of its partition, for people. Pure. */
import type { PartitionValue } from "../../spec/DataFile.ts"
import { partitionPath, type PartitionSpec } from "../../spec/PartitionSpec.ts"

/** Characters of a folder's name, all ASCII; file systems take 255. */
const folderNameMax = 200

/** `name` comes without `.parquet`. */
export const dataFileUri = (
  directory: string,
  spec: PartitionSpec,
  values: ReadonlyArray<PartitionValue>,
  name: string
): string => {
  const path = partitionPath(spec, values)
  // a partition by a long text has no folder that a disk could name; nobody but people looks for it
  const named = path !== "" && path.split("/").every((part) => part.length <= folderNameMax)
  return `${directory.replace(/\/+$/, "")}/${named ? `${path}/` : ""}${name}.parquet`
}
