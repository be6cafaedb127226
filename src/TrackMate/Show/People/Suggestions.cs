using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Suggests people while a user types into the search field.</summary>
internal static class Suggestions
{
    private const int Most = 8;

    /// <summary>Longer text is cut, as on every page of the dashboard.</summary>
    private const int MaxQuery = 200;

    public static IResult Handle(string companyId, string? q, HttpContext http, Registry registry, MessageStore store)
    {
        if (registry.Find(companyId) is not { } company) return Results.NotFound();
        http.Response.Headers.CacheControl = "no-store";
        if (string.IsNullOrWhiteSpace(q)) return Results.Json(new SuggestionsDocument([], false), Shown.Json.SuggestionsDocument);
        using var snapshot = store.Read(company);
        var persons = new PersonReader(snapshot.Database);
        var page = new SearchReader(snapshot.Database).Find(company, q.Length > MaxQuery ? q[..MaxQuery] : q, null, Most);
        return Results.Json(new SuggestionsDocument([.. page.Persons.Select(person => SuggestionOf(companyId, person, persons))], page.Next is not null), Shown.Json.SuggestionsDocument);
    }

    private static SuggestionDocument SuggestionOf(string companyId, Person person, PersonReader persons)
    {
        persons.Traits(person, out var namedBy);
        var name = Faces.Shortened(persons.NameOf(person), person);
        var values = person.Identifiers.Select(known => known.Identifier).OrderByDescending(identifier => identifier == namedBy).Select(identifier => identifier.Value).Where(value => value != name);
        return new(name, string.Join(", ", values.Take(2)), Links.Person(companyId, person.Id.ToString()));
    }
}

/// <param name="More">Whether there are further matches.</param>
internal sealed record SuggestionsDocument(IReadOnlyList<SuggestionDocument> Suggestions, bool More);

/// <param name="Name">The person's name.</param>
/// <param name="Line">The person's other identifiers; empty if there are none.</param>
/// <param name="Address">The address of the person's page.</param>
internal sealed record SuggestionDocument(string Name, string Line, string Address);
