using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Derive;

/// <summary>
/// Keeps what identifiers are found by, inside the writer's transaction: the index of their texts, and what they are compared by. A message only writes an
/// identifier's own row; the index follows in the background, many at a time, since most of its rows are then written once for all of them. A reader looks through
/// what is not indexed yet, so what is found never depends on how far the index is.
/// </summary>
internal sealed class SearchIndex(Database database)
{
    /// <summary>Identifiers indexed in one step of the writer: some milliseconds.</summary>
    public const int BatchSize = 512;

    private const int SegmentSize = 4096;

    private static readonly string Traits =
        $"SELECT name, value FROM trait WHERE company = ? AND identifier = ? AND name IN ('name', {string.Join(", ", Likeness.TraitNames.Select(name => $"'{name}'"))})";

    private sealed record Segment(long Base, long Newest, long Members);

    /// <param name="IndexedAs">What the index holds of it; null where that is its text.</param>
    private sealed record Indexed(long Number, Identifier Identifier, string Text, string? IndexedAs);

    /// <summary>Whether so many wait that indexing them at once is worth its while.</summary>
    public static bool IsDue(Database database, Company company, int least = BatchSize)
    {
        using var waiting = database.Use("SELECT COUNT(*) FROM (SELECT id FROM identifier INDEXED BY identifier_to_index WHERE company = ? AND indexed_as IS NOT NULL LIMIT ?) AS waiting");
        waiting.With(company.Number).With(least).Next();
        return waiting.Long(0) == least;
    }

    /// <summary>Indexes those that wait, the oldest first, up to a batch.</summary>
    /// <returns>Whether there may be more.</returns>
    public bool Update(Company company)
    {
        var waiting = Next(company);
        Update(company, waiting);
        return waiting.Count == BatchSize;
    }

    /// <summary>What those that are indexed next are compared by, the oldest first.</summary>
    public List<(long Identifier, Likeness Likeness)> Waiting(Company company)
    {
        var asked = Next(company).ConvertAll(identifier => (Identifier: identifier, Traits: TraitsOf(company, identifier.Number)));
        return [.. asked.SelectMany(one => LikenessesOf(one.Identifier, one.Traits.Value))];
    }

    private List<Indexed> Next(Company company)
    {
        var waiting = new List<Indexed>();
        using var rows = database.Use("SELECT id, kind, value, leaf, search, indexed_as FROM identifier INDEXED BY identifier_to_index WHERE company = ? AND indexed_as IS NOT NULL ORDER BY id LIMIT ?");
        rows.With(company.Number).With(BatchSize);
        while (rows.Next()) waiting.Add(Read(rows));
        return waiting;
    }

    /// <summary>Indexes what has changed of some identifiers now, so that nothing is left of what they were.</summary>
    public void Update(Company company, IEnumerable<long> identifiers)
    {
        var changed = identifiers.Select(identifier => Find(company, identifier)).OfType<Indexed>().Where(identifier => identifier.IndexedAs is { Length: > 0 }).OrderBy(identifier => identifier.Number).ToList();
        Update(company, changed);
    }

    /// <summary>Takes an identifier out of the index, before it goes or becomes another one.</summary>
    public void Remove(Company company, long identifier)
    {
        database.Use("DELETE FROM alike WHERE company = ? AND identifier = ?").With(company.Number).With(identifier).Run();
        if (Find(company, identifier) is not { } known) return;
        var changes = new Changes(database, company);
        changes.Change(known.Number, known.IndexedAs ?? known.Text, "", SegmentsOf(company));
        changes.Write();
        database.Use("UPDATE identifier SET indexed_as = '' WHERE id = ? AND company = ?").With(identifier).With(company.Number).Run();
    }

    /// <summary>Indexes a company anew beside the store, as its segments are: what it holds of each identifier, and none else.</summary>
    public void Rebuild(Company company)
    {
        database.Use("DELETE FROM search_bucket WHERE company = ?").With(company.Number).Run();
        // What one was compared by that has changed since is not known any more.
        database.Use("DELETE FROM alike WHERE company = ?1 AND identifier NOT IN (SELECT id FROM identifier WHERE company = ?1 AND indexed_as <> '')").With(company.Number).Run();
        var segments = SegmentsOf(company);
        for (var i = 0; i < segments.Count; i++)
        {
            var indexed = new List<Indexed>();
            using (var rows = database.Use("SELECT id, kind, value, leaf, search, indexed_as FROM identifier WHERE company = ? AND id >= ? AND id < ? AND (indexed_as IS NULL OR indexed_as <> '') ORDER BY id"))
            {
                rows.With(company.Number).With(segments[i].Base).With(i + 1 < segments.Count ? segments[i + 1].Base : long.MaxValue);
                while (rows.Next()) indexed.Add(Read(rows));
            }

            var changes = new Changes(database, company);
            var alike = new List<(long Identifier, Likeness Likeness)>();
            foreach (var one in indexed)
            {
                changes.Change(one.Number, "", one.IndexedAs ?? one.Text, segments);
                if (one.IndexedAs is not null) continue;
                var traits = TraitsOf(company, one.Number).Value;
                var text = SearchText.Of(one.Identifier.Value, NameIn(traits));
                if (text != one.Text) database.Use("UPDATE identifier SET search = ? WHERE id = ? AND company = ?").With(text).With(one.Number).With(company.Number).Run();
                alike.AddRange(LikenessesOf(one, traits));
            }

            changes.Write();
            Compare(company, alike);
        }
    }

    private void Update(Company company, List<Indexed> waiting)
    {
        if (waiting.Count == 0) return;
        var segments = SegmentsOf(company);
        var changes = new Changes(database, company);
        var asked = waiting.ConvertAll(identifier => (Identifier: identifier, Traits: TraitsOf(company, identifier.Number)));
        var alike = new List<(long Identifier, Likeness Likeness)>();
        foreach (var (identifier, traits) in asked)
        {
            // Of what an earlier version wrote the text is not folded yet.
            var text = SearchText.Of(identifier.Identifier.Value, NameIn(traits.Value));
            if (identifier.IndexedAs is { Length: 0 }) Place(identifier.Number, segments);
            else database.Use("DELETE FROM alike WHERE company = ? AND identifier = ?").With(company.Number).With(identifier.Number).Run();
            changes.Change(identifier.Number, identifier.IndexedAs!, text, segments);
            alike.AddRange(LikenessesOf(identifier, traits.Value));
            database.Use("UPDATE identifier SET search = ?, indexed_as = NULL WHERE id = ? AND company = ?").With(text).With(identifier.Number).With(company.Number).Run();
        }

        changes.Write();
        Compare(company, alike);
        foreach (var segment in segments)
        {
            database.Use("INSERT INTO search_segment (company, base, newest, members) VALUES (?, ?, ?, ?) ON CONFLICT (company, base) DO UPDATE SET newest = excluded.newest, members = excluded.members WHERE search_segment.members <> excluded.members")
                .With(company.Number).With(segment.Base).With(segment.Newest).With(segment.Members).Run();
        }
    }

    /// <summary>Counts a new one in its segment; one behind all others of a full segment begins the next.</summary>
    private static void Place(long identifier, List<Segment> segments)
    {
        if (segments.Count == 0) segments.Add(new(0, identifier, 1));
        else if (segments[^1] is { Members: >= SegmentSize } last && identifier > last.Newest) segments.Add(new(identifier, identifier, 1));
        else
        {
            var at = segments.FindLastIndex(segment => segment.Base <= identifier);
            segments[at] = segments[at] with { Newest = Math.Max(segments[at].Newest, identifier), Members = segments[at].Members + 1 };
        }
    }

    private static IEnumerable<(long Identifier, Likeness Likeness)> LikenessesOf(Indexed identifier, Dictionary<string, string> traits) =>
        Likeness.Of(identifier.Identifier.Kind, identifier.Identifier.Value, traits).Select(likeness => (identifier.Number, likeness));

    /// <summary>Notes what identifiers are compared by, and whether somebody before them is alike.</summary>
    private void Compare(Company company, IEnumerable<(long Identifier, Likeness Likeness)> alike)
    {
        var hashed = alike.Select(one => (one.Identifier, one.Likeness.Kind, Hash: HashOf(company, one.Likeness))).ToList();
        var known = hashed.Select(one => one.Hash).Distinct().Select(hash => (hash,
            IsKnown: database.Use("SELECT EXISTS (SELECT 1 FROM alike WHERE company = ? AND hash = ?)").With(company.Number).With(hash).DeferFlag())).ToList();
        var again = known.Where(one => one.IsKnown.Value).Select(one => one.hash).ToHashSet();
        foreach (var (identifier, kind, hash) in hashed)
        {
            database.Use("INSERT INTO alike (company, hash, identifier, kind, again) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
                .With(company.Number).With(hash).With(identifier).With((long)kind).With(again.Add(hash) ? 0 : 1).Run();
        }
    }

    /// <summary>Keyed, so that nobody reads out of it who was compared with whom.</summary>
    public static long HashOf(Company company, Likeness likeness) => unchecked((long)company.KeyedId($"alike{(int)likeness.Kind}", likeness.Text).High);

    private List<Segment> SegmentsOf(Company company)
    {
        var segments = new List<Segment>();
        using var rows = database.Use("SELECT base, newest, members FROM search_segment WHERE company = ? ORDER BY base");
        rows.With(company.Number);
        while (rows.Next()) segments.Add(new(rows.Long(0), rows.Long(1), rows.Long(2)));
        return segments;
    }

    private Indexed? Find(Company company, long identifier)
    {
        using var row = database.Use("SELECT id, kind, value, leaf, search, indexed_as FROM identifier WHERE id = ? AND company = ?");
        return row.With(identifier).With(company.Number).Next() ? Read(row) : null;
    }

    private static Indexed Read(Statement row) =>
        new(row.Long(0), new((IdentifierKind)row.Long(1), row.Text(2), ProfileId.FromBytes(row.Bytes(3))), row.Text(4), row.TextOrNull(5));

    private Lazy<Dictionary<string, string>> TraitsOf(Company company, long identifier) =>
        database.Use(Traits).With(company.Number).With(identifier).Defer(rows =>
        {
            var traits = new Dictionary<string, string>(StringComparer.Ordinal);
            while (rows.Next()) traits[rows.Text(0)] = rows.Text(1);
            return traits;
        });

    private static string? NameIn(Dictionary<string, string> traits) => traits.TryGetValue("name", out var json) ? SearchText.NameIn(json) : null;

    /// <summary>What changes in the buckets, gathered so that each is read and written once.</summary>
    private sealed class Changes(Database database, Company company)
    {
        private readonly SortedDictionary<(int Bucket, long Base), List<(uint Gram, long Identifier, bool IsAdded)>> changes = [];

        public void Change(long identifier, string before, string after, List<Segment> segments)
        {
            if (before == after || segments.FindLast(segment => segment.Base <= identifier) is not { } segment) return;
            var (gone, come) = (SearchText.GramsOf(before), SearchText.GramsOf(after));
            foreach (var gram in gone.Where(gram => !come.Contains(gram))) Note(segment, gram, identifier, isAdded: false);
            foreach (var gram in come.Where(gram => !gone.Contains(gram))) Note(segment, gram, identifier, isAdded: true);
        }

        public void Write()
        {
            var known = changes.Select(change => (change.Key, change.Value, Bucket: database.Use("SELECT grams FROM search_bucket WHERE company = ? AND bucket = ? AND base = ?")
                .With(company.Number).With(change.Key.Bucket).With(change.Key.Base).Defer(row => row.Next() ? SearchBucket.Read(row.Bytes(0), change.Key.Base) : new()))).ToList();
            foreach (var ((number, start), changed, asked) in known)
            {
                var bucket = asked.Value;
                foreach (var (gram, identifier, isAdded) in changed)
                {
                    if (isAdded) bucket.Add(gram, identifier);
                    else bucket.Remove(gram, identifier);
                }

                if (bucket.IsEmpty) database.Use("DELETE FROM search_bucket WHERE company = ? AND bucket = ? AND base = ?").With(company.Number).With(number).With(start).Run();
                else
                {
                    database.Use("INSERT INTO search_bucket (company, bucket, base, grams) VALUES (?, ?, ?, ?) ON CONFLICT (company, bucket, base) DO UPDATE SET grams = excluded.grams")
                        .With(company.Number).With(number).With(start).WithBlob(bucket.Write(start)).Run();
                }
            }
        }

        private void Note(Segment segment, uint gram, long identifier, bool isAdded)
        {
            var key = (SearchBucket.Of(gram), segment.Base);
            if (!changes.TryGetValue(key, out var changed)) changes.Add(key, changed = []);
            changed.Add((gram, identifier, isAdded));
        }
    }
}
