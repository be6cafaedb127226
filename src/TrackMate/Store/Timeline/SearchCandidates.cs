using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>An identifier that may match a search.</summary>
/// <param name="IsIndexed">Whether the index led to it, and not a look through what it does not know.</param>
/// <param name="IsNamed">Whether a message has named it; a bare id, and one that is being erased, is found by nobody.</param>
internal readonly record struct SearchCandidate(long Number, long Person, bool IsNamed, string Text, bool IsIndexed);

/// <summary>Identifiers that may have some words in their text, the last that came first: those that the index knows, and all that it does not know yet.</summary>
internal sealed class SearchCandidates(Database database)
{
    /// <summary>Grams of a query that the index is asked for: with more of them hardly fewer match.</summary>
    private const int MostGrams = 8;

    private const int GramsAtOnce = 2;

    /// <summary>Identifiers that are read rather than looked up by further grams.</summary>
    private const int FewToRead = 16;

    /// <summary>Rows read at once, one question each.</summary>
    private const int AtOnce = 64;

    private const int NotIndexedAtOnce = 1000;

    /// <summary>Segments read at once: first few, since most pages are full soon, then more and more.</summary>
    private const int FirstSegments = 8;

    public IEnumerable<SearchCandidate> Of(Company company, IReadOnlyList<string> words, long before)
    {
        using var known = Indexed(company, words, before).GetEnumerator();
        using var rest = NotIndexed(company, before).GetEnumerator();
        var (hasKnown, hasRest) = (known.MoveNext(), rest.MoveNext());
        while (hasKnown || hasRest)
        {
            if (!hasRest || (hasKnown && known.Current.Number > rest.Current.Number))
            {
                yield return known.Current;
                hasKnown = known.MoveNext();
                continue;
            }

            // One that has changed since it was indexed is both.
            if (hasKnown && known.Current.Number == rest.Current.Number) hasKnown = known.MoveNext();
            yield return rest.Current;
            hasRest = rest.MoveNext();
        }
    }

    private IEnumerable<SearchCandidate> Indexed(Company company, IReadOnlyList<string> words, long before)
    {
        var grams = GramsOf(words);
        var segments = SegmentsBefore(company, before);
        var most = FirstSegments;
        for (var next = 0; next < segments.Count; most *= 4)
        {
            var count = Math.Min(most, segments.Count - next);
            var numbers = NumbersIn(company, grams, segments[next + count - 1], segments[next]);
            next += count;
            foreach (var some in numbers.Where(number => number < before).OrderDescending().Chunk(AtOnce))
            {
                foreach (var candidate in Read(company, some)) yield return candidate;
            }
        }
    }

    private IEnumerable<SearchCandidate> NotIndexed(Company company, long before)
    {
        while (true)
        {
            var some = new List<SearchCandidate>();
            using (var rows = database.Use("""
                SELECT id, person, first_named_ms, search FROM identifier INDEXED BY identifier_to_index
                WHERE company = ? AND id < ? AND indexed_as IS NOT NULL ORDER BY id DESC LIMIT ?
                """))
            {
                rows.With(company.Number).With(before).With(NotIndexedAtOnce);
                while (rows.Next()) some.Add(new(rows.Long(0), rows.Long(1), !rows.IsNull(2), rows.Text(3), IsIndexed: false));
            }

            foreach (var candidate in some) yield return candidate;
            if (some.Count < NotIndexedAtOnce) yield break;
            before = some[^1].Number;
        }
    }

    /// <summary>Spread over all of the words: a domain that everybody has must not be all that is asked for.</summary>
    private static List<Gram> GramsOf(IReadOnlyList<string> words)
    {
        var all = words.SelectMany(SearchText.GramsOf).Distinct().ToList();
        return [.. (all.Count <= MostGrams ? all : Enumerable.Range(0, MostGrams).Select(i => all[i * all.Count / MostGrams])).Select(gram => new Gram(gram))];
    }

    private List<long> SegmentsBefore(Company company, long before)
    {
        var segments = new List<long>();
        using var rows = database.Use("SELECT base FROM search_segment WHERE company = ? AND base < ? ORDER BY base DESC");
        rows.With(company.Number).With(before);
        while (rows.Next()) segments.Add(rows.Long(0));
        return segments;
    }

    /// <summary>
    /// The identifiers of some segments that may have all grams. The rarest grams are asked for first, and no more of them once so few identifiers are left that
    /// reading their texts costs less.
    /// </summary>
    /// <param name="grams">Put in order by what is found.</param>
    private List<long> NumbersIn(Company company, List<Gram> grams, long first, long last)
    {
        List<long>? found = null;
        foreach (var some in grams.ToList().Chunk(GramsAtOnce))
        {
            var asked = some.Select(gram => (Gram: gram, Numbers: database.Use("SELECT base, grams FROM search_bucket WHERE company = ? AND bucket = ? AND base >= ? AND base <= ?")
                .With(company.Number).With(SearchBucket.Of(gram.Value)).With(first).With(last).Defer(rows =>
                {
                    var numbers = new List<long>();
                    while (rows.Next()) numbers.AddRange(SearchBucket.Find(rows.Bytes(1), rows.Long(0), gram.Value));
                    return numbers;
                }))).ToList();
            foreach (var (gram, numbers) in asked.Select(one => (one.Gram, one.Numbers.Value)).OrderBy(one => one.Value.Count))
            {
                gram.Density = (double)numbers.Count / (last - first + 1);
                if (found is null)
                {
                    found = numbers;
                    continue;
                }

                var has = numbers.ToHashSet();
                found = found.FindAll(has.Contains);
            }

            if (found!.Count <= FewToRead) break;
        }

        grams.Sort((left, right) => left.Density.CompareTo(right.Density));
        return found!;
    }

    /// <summary>A gram of a query, and which part of the identifiers looked at so far have it: 1 while that is not known.</summary>
    private sealed class Gram(uint value)
    {
        public uint Value { get; } = value;

        public double Density { get; set; } = 1;
    }

    private IEnumerable<SearchCandidate> Read(Company company, long[] numbers)
    {
        var asked = numbers.Select(number => database.Use("SELECT id, person, first_named_ms, search FROM identifier WHERE id = ? AND company = ?")
            .With(number).With(company.Number).Defer(row => row.Next() ? new SearchCandidate(row.Long(0), row.Long(1), !row.IsNull(2), row.Text(3), IsIndexed: true) : default)).ToList();
        return asked.Select(candidate => candidate.Value).Where(candidate => candidate.Number != 0);
    }
}
