using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>How far a search has come. The numbers are part of cursors.</summary>
internal enum SearchStage
{
    /// <summary>Persons whom the query names: by an identifier, a session, an event, an order. The position is how many were shown.</summary>
    Named = 1,

    /// <summary>Persons one of whose identifiers has all words in its text. The position is an identifier's number, as from here on.</summary>
    Text = 2,

    /// <summary>Persons who have all words in several identifiers' texts together.</summary>
    Together = 3,

    /// <summary>For a query of one or two characters, which no index helps with: the position is a person's number.</summary>
    Short = 4,
}

/// <param name="Before">What is next lies before it.</param>
internal readonly record struct SearchPosition(SearchStage Stage, long Before);

/// <param name="Next">Where to go on; null where nothing is left. A page may be short, even empty, and yet not the last: each does a bounded amount of work.</param>
internal sealed record SearchPage(List<Person> Persons, SearchPosition? Next);

/// <summary>
/// Finds persons by what people know of them: first whom the query names, then those in whose texts all of its words are, the last that came first. Each person is
/// found once, at the newest of its identifiers that matches.
/// </summary>
internal sealed class SearchReader(Database database)
{
    /// <summary>Texts looked at for one page: those that the index leads to are read one by one, and cost so many of the others.</summary>
    private const int MostLookedAt = 50_000;

    private const int CostOfIndexed = 10;

    /// <summary>Persons that are read whole for one page, to see whether their identifiers have the words together.</summary>
    private const int MostTogether = 500;

    /// <summary>Identifiers looked through for one page of a query that no index helps with.</summary>
    private const int MostLookedThrough = 20_000;

    private readonly PersonReader people = new(database);
    private readonly NamedReader named = new(database);
    private readonly SearchCandidates candidates = new(database);

    /// <param name="query">Not blank.</param>
    /// <param name="limit">At least 1.</param>
    public SearchPage Find(Company company, string query, SearchPosition? from, int limit)
    {
        var words = SearchText.WordsOf(query);
        var search = new Search(company, words, limit);
        foreach (var person in named.Find(company, query.Trim())) search.Named.TryAdd(person, search.Named.Count);
        var position = from ?? new(SearchStage.Named, 0);
        if (position.Stage is SearchStage.Named)
        {
            foreach (var (person, at) in search.Named.Where(known => known.Value >= position.Before).OrderBy(known => known.Value)) search.Add(person, new(SearchStage.Named, at + 1));
            position = new(words.Any(HasGrams) ? SearchStage.Text : SearchStage.Short, long.MaxValue);
        }

        var next = search.IsFull || words.Count == 0 ? null : position.Stage switch
        {
            SearchStage.Short => LookThrough(search, position.Before),
            SearchStage.Together => FindTogether(search, position.Before),
            _ => FindText(search, position.Before),
        };
        return new(search.Page.ConvertAll(person => people.Of(company, person)), search.Next ?? next);
    }

    private static bool HasGrams(string word) => SearchText.GramsOf(word).Count > 0;

    private SearchPosition? FindText(Search search, long before)
    {
        var isFirst = before == long.MaxValue;
        var looked = 0;
        foreach (var candidate in candidates.Of(search.Company, search.Words, before))
        {
            if ((looked += candidate.IsIndexed ? CostOfIndexed : 1) > MostLookedAt) return new(SearchStage.Text, before);
            before = candidate.Number;
            if (!candidate.IsNamed || !SearchText.HasAll(candidate.Text, search.Words) || search.Has(candidate.Person)) continue;
            if (!isFirst && search.HasNewer(Texts(search.Company, candidate.Person), candidate.Number)) continue;
            search.Add(candidate.Person, new(SearchStage.Text, before));
            if (search.IsFull) return null;
        }

        return search.Words.Count == 1 ? null : FindTogether(search, long.MaxValue);
    }

    /// <summary>Among those who have the longest word, which few have.</summary>
    private SearchPosition? FindTogether(Search search, long before)
    {
        var longest = new[] { search.Words.Where(HasGrams).MaxBy(word => word.Length)! };
        var isFirst = before == long.MaxValue;
        var (looked, read) = (0, 0);
        foreach (var candidate in candidates.Of(search.Company, longest, before))
        {
            if ((looked += candidate.IsIndexed ? CostOfIndexed : 1) > MostLookedAt || read == MostTogether) return new(SearchStage.Together, before);
            before = candidate.Number;
            if (!candidate.IsNamed || !SearchText.HasAll(candidate.Text, longest) || SearchText.HasAll(candidate.Text, search.Words) || search.Has(candidate.Person)) continue;
            read++;
            var texts = Texts(search.Company, candidate.Person);
            if (!search.HasTogether(texts) || (!isFirst && texts.Exists(text => text.Number > candidate.Number && SearchText.HasAll(text.Text, longest)))) continue;
            search.Add(candidate.Person, new(SearchStage.Together, before));
            if (search.IsFull) return null;
        }

        return null;
    }

    private SearchPosition? LookThrough(Search search, long before)
    {
        var (looked, texts) = (0, new List<(long Number, string Text)>());
        long? person = null;
        using var rows = database.Stream("""
            SELECT person, id, search FROM identifier INDEXED BY identifier_by_person
            WHERE company = ? AND person < ? AND first_named_ms IS NOT NULL ORDER BY person DESC
            """);
        rows.With(search.Company.Number).With(before);
        while (rows.Next())
        {
            if (person != rows.Long(0))
            {
                Settle();
                if (search.IsFull) return null;
                if (looked >= MostLookedThrough) return new(SearchStage.Short, before);
                person = rows.Long(0);
            }

            looked++;
            texts.Add((rows.Long(1), rows.Text(2)));
        }

        Settle();
        return null;

        void Settle()
        {
            if (person is not { } known) return;
            before = known;
            if (!search.Has(known) && search.HasEach(texts)) search.Add(known, new(SearchStage.Short, known));
            texts.Clear();
        }
    }

    private List<(long Number, string Text)> Texts(Company company, long person)
    {
        var texts = new List<(long, string)>();
        using var rows = database.Use("SELECT id, search FROM identifier WHERE company = ? AND person = ? AND first_named_ms IS NOT NULL");
        rows.With(company.Number).With(person);
        while (rows.Next()) texts.Add((rows.Long(0), rows.Text(1)));
        return texts;
    }

    /// <summary>One search: what it is for, and what it has found so far, with one more than its page, which tells whether there is a next one.</summary>
    private sealed class Search(Company company, IReadOnlyList<string> words, int limit)
    {
        private readonly List<(long Person, SearchPosition After)> found = [];

        public Company Company => company;

        public IReadOnlyList<string> Words => words;

        /// <summary>Persons whom the query names, with their place.</summary>
        public Dictionary<long, int> Named { get; } = [];

        public bool IsFull => found.Count > limit;

        public List<long> Page => [.. found.Take(limit).Select(one => one.Person)];

        public SearchPosition? Next => IsFull ? found[limit - 1].After : null;

        public void Add(long person, SearchPosition after)
        {
            if (!IsFull) found.Add((person, after));
        }

        public bool Has(long person) => Named.ContainsKey(person) || found.Exists(one => one.Person == person);

        /// <summary>Whether an identifier of the same person that came later has all words, so that an earlier page has shown it.</summary>
        public bool HasNewer(List<(long Number, string Text)> texts, long number) => texts.Exists(text => text.Number > number && SearchText.HasAll(text.Text, words));

        /// <summary>Whether each word is in one of the texts, and no text has them all.</summary>
        public bool HasTogether(List<(long Number, string Text)> texts) => HasEach(texts) && !texts.Exists(text => SearchText.HasAll(text.Text, words));

        public bool HasEach(List<(long Number, string Text)> texts) => words.All(word => texts.Exists(text => text.Text.Contains(word, StringComparison.Ordinal)));
    }
}
