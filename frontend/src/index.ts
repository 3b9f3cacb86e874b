export type { Context, Platform } from './platform';
