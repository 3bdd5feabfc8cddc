export { EmbeddedLog, type EmbeddedLogOptions, makeEmbeddedLog, recordBytesMaxDefault } from "./embedded/EmbeddedLog.ts"
export { kafkaLogLayer, openKafkaInstances } from "./kafka/KafkaLayer.ts"
export type { KafkaGroup } from "./kafka/instances/KafkaInstances.ts"
export { kafkaAccess } from "./kafka/KafkaAccess.ts"
export { holdJobLock, type JobLockOptions, jobRunning } from "./embedded/JobLock.ts"
export { feedFile, type FileFeedOptions } from "./feed/FileFeed.ts"
export { feedProgress, type FeedProgress } from "./feed/FeedProgress.ts"
export { produceLines, type LineProducerOptions, type LinesProduced } from "./feed/LineProducer.ts"
export {
  type Connection,
  connectionOf,
  type Connections,
  decodeConnections,
  type DecodedConnections,
  secretsOf
} from "./connection/Connection.ts"
export { ConnectionError } from "./connection/ConnectionError.ts"
export { readSecret, secretPlace } from "./connection/Secret.ts"
export { decodeStateEncryption, readStateKeys, type StateEncryption } from "./connection/StateEncryption.ts"
export { openHttpLookup } from "./lookup/HttpLookup.ts"
export { makeSqlLookup } from "./lookup/SqlLookup.ts"
export { openDuckDbFile } from "./sql/DuckDbFile.ts"
export { openPostgres } from "./sql/PostgresPool.ts"
export { type SqlClient, SqlError } from "./sql/SqlClient.ts"
export { openPostgresSink } from "./sink/PostgresSink.ts"
export { openRedisSink } from "./sink/RedisSink.ts"
export { openWebhookSink } from "./sink/WebhookSink.ts"
export { type DeclaredSink, type DecodedSinks, decodeSinks, type SinkContext } from "./sink/DeclaredSink.ts"
export { templateText } from "./sink/FeatureTemplate.ts"
export { openSink } from "./sink/OpenSink.ts"
export { runSink } from "./sink/RunSink.ts"
export { sinkProgress, type SinkProgress, sinkShard } from "./sink/SinkProgress.ts"
export type { Refused, SinkRecord, SinkTarget } from "./sink/SinkTarget.ts"
