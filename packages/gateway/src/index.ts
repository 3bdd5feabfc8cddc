export { type GatewayOptions, type GatewayServices, serveGateway } from "./Gateway.ts"
export { System, type SystemShape } from "./system/System.ts"
