using System.Runtime.InteropServices;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// What a session's own row says of its days and spans: the day it began on, and whether it is somebody's. Gathered over a transaction and written at its end, one
/// row by its key after the other in the order of their numbers, so that writers who meet wait for each other and never in a circle.
/// </summary>
internal sealed class DirtySessions(Database database)
{
    private readonly Dictionary<(long Company, long Session), Mark> marks = [];

    /// <param name="FirstDay">A day it has an event of that is no bot's; the row may know an earlier one.</param>
    /// <param name="DaysWent">What days are left is to be asked.</param>
    /// <param name="SpansChanged">So is whether it has a span.</param>
    private record struct Mark(long? FirstDay, bool DaysWent, bool SpansChanged);

    /// <summary>An event of this UTC day, no bot's, is earlier than what is known of the session.</summary>
    public void Begins(Company company, long session, long day)
    {
        ref var mark = ref Of(company, session);
        mark.FirstDay = Math.Min(mark.FirstDay ?? day, day);
    }

    /// <summary>It may have become somebody's, or nobody's. What is taken back with a savepoint may stay noted: the spans are asked again.</summary>
    public void SpansChanged(Company company, long session) => Of(company, session).SpansChanged = true;

    /// <summary>Some of its messages are not in the store any more.</summary>
    public void MessagesWent(Company company, long session)
    {
        ref var mark = ref Of(company, session);
        (mark.DaysWent, mark.SpansChanged) = (true, true);
    }

    /// <summary>Writes them; after all that they rest on.</summary>
    public void Flush()
    {
        foreach (var ((company, session), mark) in marks.OrderBy(mark => mark.Key))
        {
            if (mark.DaysWent)
            {
                database.Use("""
                    UPDATE session SET first_day = (SELECT MIN(day) FROM session_day WHERE company = ?1 AND session = ?2 AND bots < events) WHERE company = ?1 AND id = ?2
                    """).With(company).With(session).Run();
            }
            else if (mark.FirstDay is { } day)
            {
                database.Use("UPDATE session SET first_day = ?3 WHERE company = ?1 AND id = ?2 AND (first_day IS NULL OR first_day > ?3)").With(company).With(session).With(day).Run();
            }

            if (mark.SpansChanged)
            {
                database.Use("""
                    UPDATE session SET identified = CASE WHEN EXISTS (SELECT 1 FROM span WHERE company = ?1 AND session = ?2) THEN 1 ELSE 0 END WHERE company = ?1 AND id = ?2
                    """).With(company).With(session).Run();
            }
        }

        Clear();
    }

    public void Clear() => marks.Clear();

    private ref Mark Of(Company company, long session) => ref CollectionsMarshal.GetValueRefOrAddDefault(marks, (company.Number, session), out _);
}
