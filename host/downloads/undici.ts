/** What is used of undici. It is half as large as all of the host: a bundle of its own, loaded with the first request. */
export { EnvHttpProxyAgent, fetch } from 'undici';
