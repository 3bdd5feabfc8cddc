/** Tells shards of jobs from those of landings and feeds, by the names that these are declared with. */
import type { ShardId } from "./Log.ts"

/** A job's shard: it reads the one partition `shard`. Uids of landings and feeds have a dot, a job's name has none. */
export const isJob = ({ uid }: Pick<ShardId, "uid">): boolean => !uid.includes(".")
