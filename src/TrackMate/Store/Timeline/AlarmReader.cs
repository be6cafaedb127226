using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Timeline;

/// <summary>A profile on which more identifiers have piled up than people have.</summary>
/// <param name="Hub">The identifier that joined most, or on which they pile up.</param>
/// <param name="Identifiers">So many were one person, or would have been, when it was last seen.</param>
/// <param name="IsFrozen">Whether an operator has frozen it.</param>
/// <param name="IsCrowded">Whether it is one identifier that was said to be more others than are believed, whoever joined.</param>
/// <param name="Contradicted">So many claims of browsers say that it is one person with another, and something that was said contradicts them; 0 where the alarm is of another kind.</param>
public sealed record Alarm(Person Person, Identifier Hub, long Identifiers, bool IsFrozen, bool IsCrowded, long Contradicted = 0);

/// <summary>Reads what the store raised alarms of, less what an operator has isolated or what has come apart since.</summary>
internal sealed class AlarmReader(Database database)
{
    private const int MostRead = 200;

    private readonly PersonReader people = new(database);
    private readonly PersonRows persons = new(database);
    private readonly ClaimReader claims = new(database);
    private readonly Contradictions contradictions = new(database);

    /// <summary>The newest alarms that still stand.</summary>
    public List<Alarm> Of(Company company, int limit)
    {
        var raised = new List<(long Identifier, long Identifiers)>();
        using (var rows = database.Use("SELECT identifier, identifiers FROM alarm WHERE company = ? ORDER BY at_ms DESC, identifier LIMIT ?"))
        {
            rows.With(company.Number).With(MostRead);
            while (rows.Next()) raised.Add((rows.Long(0), rows.Long(1)));
        }

        var alarms = new List<Alarm>();
        foreach (var (identifier, identifiers) in raised)
        {
            if (alarms.Count == limit) break;
            var person = people.Of(company, identifier);
            if (alarms.Any(alarm => alarm.Person.Id == person.Id)) continue;
            if (person.Identifiers.Count < PersonRows.Many && identifiers <= Joins.MaxPairs)
            {
                if (contradictions.CountOf(company, identifier) is > 0 and var contradicted && Contradicts(person, identifier) is { } on) alarms.Add(on with { Contradicted = contradicted });
                continue;
            }

            var crowded = identifiers > Joins.MaxPairs;
            var kept = claims.KeptApart(person);
            var hub = HubOf(person, identifier, crowded);
            if (kept.Any(act => act.Kind is ListedClaimKind.Isolate && act.Identifiers[0].Id == hub.Id)) continue;
            alarms.Add(new(person, hub, Math.Max(identifiers, person.Identifiers.Count), kept.Any(act => act.Kind is ListedClaimKind.Freeze), crowded));
        }

        return alarms;
    }

    /// <summary>An alarm of a contradiction, unless an operator has isolated or frozen the identifier since.</summary>
    private Alarm? Contradicts(Person person, long identifier)
    {
        var known = person.Identifiers.First(known => known.Number == identifier).Identifier;
        return claims.KeptApart(person).Any(act => act.Identifiers[0].Id == known.Id) ? null : new(person, known, person.Identifiers.Count, IsFrozen: false, IsCrowded: false);
    }

    private Identifier HubOf(Person person, long raisedOn, bool crowded)
    {
        Identifier Known(long number) => person.Identifiers.First(known => known.Number == number).Identifier;
        if (crowded || person.Identifiers.Count == 1) return Known(raisedOn);
        var joins = persons.JoinsOf(person.Company, raisedOn).Joins.Where(join => person.Identifiers.Any(known => known.Number == join.Left.Number));
        return joins.SelectMany(join => new[] { join.Left.Number, join.Right.Number }).CountBy(number => number).OrderByDescending(count => count.Value).ThenBy(count => count.Key).FirstOrDefault() is { Value: > 0 } most
            ? Known(most.Key)
            : Known(raisedOn);
    }
}
