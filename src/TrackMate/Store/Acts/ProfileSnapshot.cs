using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>What profiles hold before and after an act, and what moves between the two.</summary>
internal sealed class ProfileSnapshot(Database database)
{
    private readonly PersonReader people = new(database);
    private readonly TotalsReader totals = new(database);

    /// <summary>What the persons of some identifiers hold, by their ids.</summary>
    public (Dictionary<ProfileId, HeldProfile> Profiles, HashSet<long> Identifiers) Of(Company company, IReadOnlyCollection<long> identifiers)
    {
        var held = new Dictionary<ProfileId, HeldProfile>();
        var all = new HashSet<long>(identifiers);
        foreach (var identifier in identifiers)
        {
            var person = people.Of(company, identifier);
            if (held.ContainsKey(person.Id)) continue;
            held[person.Id] = new(person.Id, totals.Of(person, all: true), people.RegistrationOf(person) is not null);
            all.UnionWith(person.Identifiers.Select(known => known.Number));
        }

        return (held, all);
    }

    /// <summary>What is shown under another profile's id in the one than in the other, or under none.</summary>
    public static Moved Moved(Dictionary<ProfileId, HeldProfile> before, Dictionary<ProfileId, HeldProfile> after)
    {
        static (long Events, long Sessions, IReadOnlyList<(string Currency, decimal Amount)> Revenue) Count(HeldProfile? held) =>
            held is null ? (0, 0, []) : (held.Events, held.Totals.ClientSessions + held.Totals.ServerSessions, held.Totals.Revenue);
        static Moved From(Dictionary<ProfileId, HeldProfile> one, Dictionary<ProfileId, HeldProfile> other)
        {
            long events = 0, moved = 0;
            var revenue = new SortedDictionary<string, decimal>(StringComparer.Ordinal);
            foreach (var id in one.Keys)
            {
                var (held, left) = (Count(one[id]), Count(other.GetValueOrDefault(id)));
                if (held.Events <= left.Events) continue;
                events += held.Events - left.Events;
                moved += Math.Max(0, held.Sessions - left.Sessions);
                foreach (var (currency, amount) in held.Revenue) revenue[currency] = revenue.GetValueOrDefault(currency) + amount;
                foreach (var (currency, amount) in left.Revenue) revenue[currency] = revenue.GetValueOrDefault(currency) - amount;
            }

            return new(events, moved, [.. revenue.Where(total => total.Value != 0).Select(total => (total.Key, total.Value))]);
        }

        // What comes from nobody's session, or goes back to being nobody's, is lost or gained on one side only.
        var (lost, gained) = (From(before, after), From(after, before));
        return lost.Events >= gained.Events ? lost : gained;
    }
}
