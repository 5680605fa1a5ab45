/**
 * Imported before any schema is made: compiled validators need `eval`, which the content security
 * policy refuses.
 */
import { config } from 'zod';

config({ jitless: true });
