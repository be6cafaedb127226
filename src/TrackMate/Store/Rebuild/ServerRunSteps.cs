using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Rebuild;

/// <summary>
/// Changes the stored runs of server events to another gap, some runs at a time. Stored runs may be shorter than the effective gap requires, since readers join them. So
/// runs are split before a shorter gap takes effect, and merged after a longer one has. A place is the identifier, the session, and the order of the last examined event.
/// </summary>
internal sealed class ServerRunSteps(Database database)
{
    private const int RunsAtOnce = 200;

    private readonly ServerRunTable table = new(database);

    /// <summary>Splits runs between events that are at least the stored gap apart.</summary>
    /// <returns>Where to continue; null if no run is left.</returns>
    public RebuildPlace? Split(Company company, RebuildPlace place, StepBudget budget)
    {
        if (company.Settings.StoredGapMilliseconds == company.Settings.ServerSessionGapMilliseconds) return null;
        while (true)
        {
            var runs = table.From(new(company, place.First, place.Second), new(place.Third), RunsAtOnce);
            foreach (var (holder, run) in runs)
            {
                var looked = holder.Identifier == place.First && holder.Session == place.Second ? new EventOrder(place.Third) : new(long.MinValue);
                if (run.Last <= looked) continue;
                place = Split(holder, run, looked, place.Done, budget);
                if (budget.IsSpent) return place;
            }

            if (runs.Count < RunsAtOnce) return null;
        }
    }

    /// <param name="looked">The order of the run's last examined event; smaller than its first event if none was examined.</param>
    private RebuildPlace Split(RunHolder holder, ServerRun run, EventOrder looked, long done, StepBudget budget)
    {
        var gap = holder.Company.Settings.StoredGapMilliseconds;
        if (looked < run.First && run.Last.UnixMilliseconds - run.First.UnixMilliseconds < gap)
        {
            budget.Spend();
            return new(holder.Identifier, holder.Session, run.Last.Value, done + run.Events);
        }

        var previous = looked < run.First ? run.First : looked;
        foreach (var (order, eventId) in table.Events(holder, new(previous.Value + 1), run.Last))
        {
            if (order.UnixMilliseconds - previous.UnixMilliseconds >= gap)
            {
                var before = new ServerRun(run.First, run.FirstEventId, previous, table.Count(holder, run.First, previous));
                run = new(order, eventId, run.Last, run.Events - before.Events);
                table.Write(holder, before);
                table.Write(holder, run);
            }

            (previous, done) = (order, done + 1);
            budget.Spend();
            if (budget.IsSpent) return new(holder.Identifier, holder.Session, previous.Value, done);
        }

        return new(holder.Identifier, holder.Session, run.Last.Value, done);
    }

    /// <summary>Merges runs that are less than the stored gap apart.</summary>
    /// <returns>Where to continue; null if no run is left.</returns>
    public RebuildPlace? Merge(Company company, RebuildPlace place, StepBudget budget)
    {
        var gap = company.Settings.StoredGapMilliseconds;
        while (true)
        {
            // The first run is the one at which the last step ended: the next run may be merged into it.
            var runs = table.From(new(company, place.First, place.Second), new(place.Third), RunsAtOnce);
            if (runs.Count == 0) return null;
            var (holder, joined) = runs[0];
            var isChanged = false;
            foreach (var (nextHolder, next) in runs.Skip(1))
            {
                if (nextHolder == holder && next.First.UnixMilliseconds - joined.Last.UnixMilliseconds < gap)
                {
                    table.Delete(holder, next);
                    joined = joined with { Last = next.Last, Events = joined.Events + next.Events };
                    isChanged = true;
                }
                else
                {
                    if (isChanged) table.Write(holder, joined);
                    (holder, joined, isChanged) = (nextHolder, next, false);
                }

                place = place with { Done = place.Done + next.Events };
                budget.Spend();
                if (budget.IsSpent) break;
            }

            if (isChanged) table.Write(holder, joined);
            place = new(holder.Identifier, holder.Session, joined.First.Value, place.Done);
            if (budget.IsSpent) return place;
            if (runs.Count < RunsAtOnce) return null;
        }
    }
}
