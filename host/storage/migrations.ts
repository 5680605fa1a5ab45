/**
 * The schema, one step a version: `PRAGMA user_version` counts the steps that were taken. A step that
 * was released is never edited; a change is a new step at the end.
 */
export const migrations: readonly string[] = [
  /* sql */ `
  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT;

  CREATE TABLE models (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    file_name TEXT NOT NULL,
    architecture TEXT NOT NULL,
    quantisation TEXT NOT NULL,
    parameters INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT,
    context_tokens INTEGER NOT NULL,
    chat INTEGER NOT NULL,
    licence TEXT,
    added_at_ms INTEGER NOT NULL,
    reading_tokens_per_second REAL
  ) STRICT;

  CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    characters INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    notices TEXT NOT NULL,
    -- [[utf16 offset, byte offset], …]: where a range of the text file can start to be decoded
    checkpoints TEXT NOT NULL,
    added_at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE document_tokens (
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    model_id TEXT NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (document_id, model_id)
  ) STRICT;

  CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    -- 1 until a person names it: the first question may then become the title
    title_is_automatic INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    model_id TEXT REFERENCES models(id) ON DELETE SET NULL,
    system_prompt TEXT NOT NULL,
    sampling TEXT NOT NULL,
    active_leaf_id TEXT REFERENCES messages(id) ON DELETE SET NULL
  ) STRICT;

  CREATE TABLE conversation_documents (
    conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, document_id)
  ) STRICT;

  CREATE TABLE messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    parent_id TEXT REFERENCES messages(id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT,
    statistics TEXT,
    created_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id, sequence);

  CREATE TABLE outbound_requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    address TEXT NOT NULL,
    outcome TEXT
  ) STRICT;
  `,
  /* sql */ `
  -- which model was asked; null for a question
  ALTER TABLE messages ADD COLUMN model_name TEXT;
  `,
  /* sql */ `
  -- how what lies beyond the GPU is attended to, as JSON; null: the default
  ALTER TABLE conversations ADD COLUMN policy TEXT;

  -- documents that are to be read into a memory; one that was read to its end has no row
  CREATE TABLE readings (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    model_id TEXT NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    -- 'queued' also while it is being read, so that it goes on after a kill; 'paused'; 'failed'
    state TEXT NOT NULL,
    done_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    failure TEXT,
    UNIQUE (document_id, model_id)
  ) STRICT;
  `,
  /* sql */ `
  -- what a document's pages are; 0: its structure was found by no version yet
  ALTER TABLE documents ADD COLUMN unit TEXT NOT NULL DEFAULT 'part';
  ALTER TABLE documents ADD COLUMN structure_version INTEGER NOT NULL DEFAULT 0;
  -- text, structure and, for a PDF, the file itself
  ALTER TABLE documents ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;

  -- pages by their characters; the rest of a page is a line of the structure file, from line_start on
  CREATE TABLE document_pages (
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    label TEXT NOT NULL,
    start_character INTEGER NOT NULL,
    end_character INTEGER NOT NULL,
    width REAL,
    height REAL,
    headings TEXT NOT NULL,
    line_start INTEGER NOT NULL,
    line_bytes INTEGER NOT NULL,
    PRIMARY KEY (document_id, page)
  ) STRICT, WITHOUT ROWID;
  `,
  /* sql */ `
  CREATE TABLE folders (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT;
  ALTER TABLE conversations ADD COLUMN folder_id TEXT REFERENCES folders(id) ON DELETE SET NULL;
  ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX conversations_by_age ON conversations (folder_id, pinned, updated_at_ms, id);
  CREATE INDEX conversations_by_model ON conversations (model_id);
  CREATE INDEX documents_in_conversations ON conversation_documents (document_id);
  CREATE TABLE conversation_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    -- null: at the beginning
    after_message_id TEXT REFERENCES messages(id) ON DELETE CASCADE,
    created_at_ms INTEGER NOT NULL,
    details TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_conversation ON conversation_events (conversation_id, sequence);
  CREATE INDEX events_by_message ON conversation_events (after_message_id);
  CREATE INDEX conversations_by_leaf ON conversations (active_leaf_id);
  CREATE INDEX messages_by_parent_alone ON messages (parent_id);
  CREATE INDEX messages_streaming ON messages (state) WHERE state = 'streaming';
  CREATE TABLE presets (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    -- null: leaves it as it is
    sampling TEXT
  ) STRICT;

  -- Search. The indexes hold words only (search_words, host/search/words.ts); what is shown comes from the tables.
  CREATE VIRTUAL TABLE title_index USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3 4');
  CREATE TRIGGER title_added AFTER INSERT ON conversations BEGIN
    INSERT INTO title_index (rowid, words) VALUES (new.rowid, search_words(new.title));
  END;
  CREATE TRIGGER title_changed AFTER UPDATE OF title ON conversations WHEN old.title <> new.title BEGIN
    DELETE FROM title_index WHERE rowid = old.rowid;
    INSERT INTO title_index (rowid, words) VALUES (new.rowid, search_words(new.title));
  END;
  CREATE TRIGGER title_removed AFTER DELETE ON conversations BEGIN
    DELETE FROM title_index WHERE rowid = old.rowid;
  END;
  INSERT INTO title_index (rowid, words) SELECT rowid, search_words(title) FROM conversations;

  -- An answer enters when it has ended.
  CREATE VIRTUAL TABLE message_index USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3 4');
  CREATE TRIGGER message_added AFTER INSERT ON messages WHEN new.state <> 'streaming' BEGIN
    INSERT INTO message_index (rowid, words) VALUES (new.sequence, search_words(new.text));
  END;
  CREATE TRIGGER message_changed AFTER UPDATE OF text, state ON messages WHEN new.state <> 'streaming' BEGIN
    DELETE FROM message_index WHERE rowid = old.sequence;
    INSERT INTO message_index (rowid, words) VALUES (new.sequence, search_words(new.text));
  END;
  CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    DELETE FROM message_index WHERE rowid = old.sequence;
  END;
  INSERT INTO message_index (rowid, words) SELECT sequence, search_words(text) FROM messages WHERE state <> 'streaming';

  -- Documents are indexed by passages, in the background; characters says how far.
  CREATE TABLE indexed_documents (
    document_id TEXT PRIMARY KEY REFERENCES documents(id) ON DELETE CASCADE,
    characters INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE document_passages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    first_character INTEGER NOT NULL,
    end_character INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX passages_by_document ON document_passages (document_id);
  CREATE VIRTUAL TABLE passage_index USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2', prefix='2 3 4');
  CREATE TRIGGER passage_removed AFTER DELETE ON document_passages BEGIN
    DELETE FROM passage_index WHERE rowid = old.sequence;
  END;
  `,
  /* sql */ `
  -- what an answer attended to: deflated JSON (host/contract/inspection.ts), for the documents that its prompt had
  CREATE TABLE answer_evidence (
    message_id TEXT PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
    document_ids TEXT NOT NULL,
    evidence BLOB NOT NULL
  ) STRICT;
  `,
  /* sql */ `
  -- Where a model's file is, when not in the data folder under its id; relative to the data folder's models if not absolute.
  ALTER TABLE models ADD COLUMN path TEXT;
  -- 0: the file is not Longleaf's to delete
  ALTER TABLE models ADD COLUMN owned INTEGER NOT NULL DEFAULT 1;
  -- [{name, sizeBytes, sha256}] of the parts of a split model; null: one file
  ALTER TABLE models ADD COLUMN parts TEXT;

  CREATE TABLE model_folders (
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    receives INTEGER NOT NULL DEFAULT 0,
    added_at_ms INTEGER NOT NULL
  ) STRICT;
  `,
  /* sql */ `
  -- questions that go through a whole document: JSON (host/contract/sweep.ts), saved after each window
  CREATE TABLE sweeps (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    content TEXT NOT NULL
  ) STRICT;
  `,
  /* sql */ `
  -- files whose row comes after them or goes before them (host/storage/passingFiles.ts): removed at the next start
  CREATE TABLE passing_files (
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (kind, path)
  ) STRICT, WITHOUT ROWID;
  `,
  /* sql */ `
  -- what was recorded while an answer was written: deflated JSON (host/contract/liveAttention.ts), until its evidence is computed
  CREATE TABLE answer_attention (
    message_id TEXT PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
    document_ids TEXT NOT NULL,
    attention BLOB NOT NULL
  ) STRICT;
  `,
];
