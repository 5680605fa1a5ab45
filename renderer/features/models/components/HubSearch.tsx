/** What is looked for at the hub, and the filters. */
import { Search } from 'lucide-react';
import { Button } from '../../../ui/Button.tsx';
import { Select } from '../../../ui/Select.tsx';
import { Switch } from '../../../ui/Switch.tsx';
import { formatCompact, formatCount } from '../../../app/format.ts';
import { hubStore, useHub } from '../hubStore.ts';
import { hubStrings as text } from '../hubStrings.ts';

const licences = ['apache-2.0', 'mit', 'gemma', 'llama3.2', 'cc-by-4.0', 'cc-by-nc-4.0'];
const families = ['llama', 'gemma3', 'qwen3', 'qwen35', 'qwen2', 'phi3', 'smollm3', 'granite', 'mistral3', 'lfm2', 'qwen3moe', 'rwkv7'];
const sizes = [1e9, 4e9, 9e9, 15e9, 35e9];
const contexts = [8192, 32_768, 131_072, 262_144];

export function HubSearch() {
  const query = useHub((state) => state.query);
  const busy = useHub((state) => state.busy);
  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void hubStore.getState().search();
      }}
    >
      <div className="flex gap-2">
        <input
          type="search"
          aria-label={text.search}
          aria-describedby="hub-hint"
          value={query}
          placeholder={text.placeholder}
          onChange={(event) => hubStore.getState().setQuery(event.target.value)}
          className="field h-9 min-w-0 flex-1 text-body"
        />
        <Button type="submit" variant="primary" size="large" disabled={busy}>
          <Search size={15} aria-hidden />
          {text.search}
        </Button>
      </div>
      <HubFilters />
      <p id="hub-hint" className="mt-2 text-small text-faint">
        {text.hint}
      </p>
    </form>
  );
}

function HubFilters() {
  const { licence, family, mostParameters, leastContextTokens, onlyRunnable } = useHub((state) => state.filters);
  const { setFilters } = hubStore.getState();
  const number = (value: string) => (value === '' ? null : Number(value));
  return (
    <div className="mt-2.5 flex flex-wrap items-center gap-2">
      <Select label={text.filters.family} value={family ?? ''} onChange={(event) => setFilters({ family: event.target.value || null })}>
        <option value="">{text.filters.anyFamily}</option>
        {families.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <Select label={text.filters.size} value={mostParameters ?? ''} onChange={(event) => setFilters({ mostParameters: number(event.target.value) })}>
        <option value="">{text.filters.anySize}</option>
        {sizes.map((size) => (
          <option key={size} value={size}>
            {text.filters.upTo(formatCompact(size))}
          </option>
        ))}
      </Select>
      <Select label={text.filters.context} value={leastContextTokens ?? ''} onChange={(event) => setFilters({ leastContextTokens: number(event.target.value) })}>
        <option value="">{text.filters.anyContext}</option>
        {contexts.map((tokens) => (
          <option key={tokens} value={tokens}>
            {text.filters.atLeast(formatCount(tokens))}
          </option>
        ))}
      </Select>
      <Select label={text.filters.licence} value={licence ?? ''} onChange={(event) => setFilters({ licence: event.target.value || null })}>
        <option value="">{text.filters.anyLicence}</option>
        {licences.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <span className="ml-1 flex items-center gap-2">
        <Switch label={text.filters.runnable} checked={onlyRunnable} onCheckedChange={(checked) => setFilters({ onlyRunnable: checked })} />
        <span aria-hidden>{text.filters.runnable}</span>
      </span>
    </div>
  );
}
