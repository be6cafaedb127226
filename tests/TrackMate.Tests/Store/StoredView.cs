using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Show;
using TrackMate.Store;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Model;

namespace TrackMate.Tests.Store;

/// <summary>The view as the product shows it, read in pages of random sizes out of one snapshot.</summary>
internal static class StoredView
{
    public static View Read(MessageStore store, Company company, IReadOnlyCollection<Message> messages, Random pages)
    {
        using var snapshot = store.Read();
        var documents = new Documents(snapshot.Database, company);
        var profiles = Profiles(documents, company, pages);
        var timelines = profiles.ConvertAll(profile => (profile.Id, (IReadOnlyList<TimelineEvent>)Timeline(documents, company, profile.Id, new(), pages)));
        var sessions = messages.Select(message => message.SessionId).OfType<string>().Distinct().Order(StringComparer.Ordinal);
        var anchors = messages.OfType<TrackedEvent>().Where(sent => sent.Order.Origin is Origin.Server).DistinctBy(sent => sent.EventId)
            .Select(sent => company.Anchor(sent.Order.UnixMilliseconds, sent.EventId)).Order(StringComparer.Ordinal);
        return new(profiles, timelines, [.. sessions.Concat(anchors).Select(session => (session, Session(documents, company, session, pages)))]);
    }

    public static List<TimelineEvent> Timeline(Documents documents, Company company, string profile, TimelineFilter filter, Random pages)
    {
        var person = ProfileId.TryParse(profile, out var id) ? documents.Persons.Find(company, id)! : throw new ArgumentException("Not a profile's id.", nameof(profile));
        var events = new List<TimelineEvent>();
        EventCursor? cursor = null;
        do
        {
            var page = documents.Timeline(person, filter, cursor, pages.Next(1, 8));
            events.AddRange(page.Events);
            cursor = Cursors.ReadEvent(company, page.NextCursor);
        }
        while (cursor is not null);

        return events;
    }

    public static SessionDocument Session(Documents documents, Company company, string sessionId, Random pages)
    {
        SessionDocument? whole = null;
        EventCursor? cursor = null;
        do
        {
            var page = documents.Session(sessionId, cursor, pages.Next(1, 8)) ?? throw new InvalidOperationException($"There is no session {sessionId}.");
            whole = page with { Events = [.. whole?.Events ?? [], .. page.Events], NextCursor = null };
            cursor = Cursors.ReadEvent(company, page.NextCursor);
        }
        while (cursor is not null);

        return whole;
    }

    /// <summary>By id: the list itself is in the order of arrival, newest first, which is no part of the view.</summary>
    private static List<ProfileDocument> Profiles(Documents documents, Company company, Random pages)
    {
        var profiles = new List<ProfileDocument>();
        string? cursor = null;
        do
        {
            var page = documents.Profiles(Cursors.ReadNumber(company, cursor), pages.Next(1, 4));
            profiles.AddRange(page.Profiles);
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        return [.. profiles.OrderBy(profile => profile.Id, StringComparer.Ordinal)];
    }
}
