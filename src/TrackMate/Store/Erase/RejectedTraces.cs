using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Erase;

/// <summary>Finds rejected messages that name a person, whatever they are: a rejected body may be cut, damaged, no JSON, or hold the name in escapes.</summary>
internal sealed class RejectedTraces(Database database)
{
    /// <summary>Looks through everything that was rejected.</summary>
    public SeenTraces Look(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions)
    {
        using var newest = database.Use("SELECT COALESCE(MAX(id), 0) FROM rejected WHERE company = ?");
        newest.With(company.Number).Next();
        return new(newest.Long(0), names.ToHashSet(StringComparer.Ordinal), sessions.ToHashSet(StringComparer.Ordinal), Of(company, names, sessions));
    }

    /// <param name="names">Found wherever they stand.</param>
    /// <param name="sessions">Found only as the value of a <c>sessionId</c>.</param>
    /// <param name="seen">What was found by the same names: then only those, and what came since, are looked through.</param>
    public List<long> Of(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions, SeenTraces? seen = null)
    {
        var person = new SoughtPerson(names, sessions);
        if (seen is null || !seen.Names.SetEquals(names) || !seen.Sessions.SetEquals(sessions)) return From(company, 0, person);

        // Numbers may have been given anew since, so each is looked at again.
        var found = From(company, seen.Newest, person);
        foreach (var number in seen.Found.Where(number => number < seen.Newest))
        {
            if (Find(company, number, person)) found.Add(number);
        }

        return found;
    }

    public void Delete(Company company, long rejected)
    {
        database.Use("DELETE FROM rejected_event WHERE company = ? AND rejected = ?").With(company.Number).With(rejected).Run();
        database.Use("DELETE FROM rejected WHERE company = ? AND id = ?").With(company.Number).With(rejected).Run();
    }

    private List<long> From(Company company, long first, SoughtPerson person)
    {
        var found = new HashSet<long>();
        using (var rows = database.Stream(Columns + " WHERE company = ? AND id >= ?"))
        {
            rows.With(company.Number).With(first);
            while (rows.Next())
            {
                if (Names(rows, person)) found.Add(rows.Long(0));
            }
        }

        using (var rows = database.Stream("SELECT rejected, event_id FROM rejected_event WHERE company = ? AND rejected >= ?"))
        {
            rows.With(company.Number).With(first);
            while (rows.Next())
            {
                if (!found.Contains(rows.Long(0)) && IsNamedIn(person, rows.Text(1))) found.Add(rows.Long(0));
            }
        }

        return [.. found];
    }

    private bool Find(Company company, long number, SoughtPerson person)
    {
        using (var row = database.Use(Columns + " WHERE id = ? AND company = ?"))
        {
            if (!row.With(number).With(company.Number).Next()) return false;
            if (Names(row, person)) return true;
        }

        using var events = database.Use("SELECT event_id FROM rejected_event WHERE company = ? AND rejected = ?");
        events.With(company.Number).With(number);
        while (events.Next())
        {
            if (IsNamedIn(person, events.Text(0))) return true;
        }

        return false;
    }

    private const string Columns = "SELECT id, body, event_id, envelope, detail FROM rejected";

    /// <summary>A row that cannot be searched, for whatever reason, goes: it must neither be kept nor fail the erasure.</summary>
    private static bool Names(Statement row, SoughtPerson person)
    {
        var body = row.Bytes(1);
        string?[] texts = [row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4)];
        try
        {
            return person.IsNamedIn(body) || texts.Any(person.IsNamedIn);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return true;
        }
    }

    private static bool IsNamedIn(SoughtPerson person, string text)
    {
        try
        {
            return person.IsNamedIn(text);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return true;
        }
    }
}

/// <summary>Rejected messages that name a person, as a reader saw them.</summary>
/// <param name="Newest">The number of the newest that was there.</param>
/// <param name="Names">By which they were found.</param>
internal sealed record SeenTraces(long Newest, IReadOnlySet<string> Names, IReadOnlySet<string> Sessions, IReadOnlyList<long> Found);
