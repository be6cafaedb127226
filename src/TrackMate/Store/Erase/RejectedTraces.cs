using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Erase;

/// <summary>Finds rejected messages that name a person, in any content: a rejected body may be truncated, damaged, no JSON, or contain the name with escapes.</summary>
internal sealed class RejectedTraces(Database database)
{
    /// <summary>Searches all rejected messages.</summary>
    public SeenTraces Look(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions)
    {
        using var newest = database.Use("SELECT COALESCE(MAX(id), 0) FROM rejected WHERE company = ?");
        newest.With(company.Number).Next();
        return new(newest.Long(0), names.ToHashSet(StringComparer.Ordinal), sessions.ToHashSet(StringComparer.Ordinal), Of(company, names, sessions));
    }

    /// <param name="names">Found anywhere in the text.</param>
    /// <param name="sessions">Found only as the value of a <c>sessionId</c>.</param>
    /// <param name="seen">The result of a search for the same names. Then only its messages and those that arrived since are searched.</param>
    public List<long> Of(Company company, IReadOnlyCollection<string> names, IReadOnlyCollection<string> sessions, SeenTraces? seen = null)
    {
        var person = new SoughtPerson(names, sessions);
        if (seen is null || !seen.Names.SetEquals(names) || !seen.Sessions.SetEquals(sessions)) return From(company, 0, person);

        // Numbers may have been reused since, so each message is searched again.
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

    /// <summary>Whether a row names the person. A row whose search fails counts as naming it: it must neither be kept nor make the erasure fail.</summary>
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
/// <summary>The rejected messages that name a person, as a reader found them.</summary>
/// <param name="Newest">The number of the newest rejected message at that time.</param>
/// <param name="Names">The names that were searched for.</param>
internal sealed record SeenTraces(long Newest, IReadOnlySet<string> Names, IReadOnlySet<string> Sessions, IReadOnlyList<long> Found);
