/** 検索の言葉（日本語）。 */
import type { SearchStrings } from './strings.ts';

export const japanese: SearchStrings = {
  title: 'チャットと文書を検索',
  open: '検索',
  placeholder: '単語、または "続いた単語"',
  hint: 'タイトル、質問、回答、文書の本文から探します。',
  nothing: '見つかりませんでした。',
  waiting: (count) => `${count} 件の文書はまだ検索に入っていません。`,
  found: (count) => `${count} か所見つかりました。`,
  groups: { chats: 'チャット', messages: '質問と回答', documents: '文書' },
  roles: { user: '質問', assistant: '回答' },
};
