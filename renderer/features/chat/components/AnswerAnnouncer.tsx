import { useAnnouncements } from '../hooks/useAnnouncements.ts';

export function AnswerAnnouncer() {
  const announcements = useAnnouncements();
  return (
    <div className="sr-only" aria-live="polite" aria-atomic="false" aria-relevant="additions" data-testid="announcer">
      {announcements.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}
