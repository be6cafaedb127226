using System.Text;
using CsCheck;
using TrackMate.Bind;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Timeline;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;
using TrackMate.Tests.Store;
using TrackMate.Transfer;

namespace TrackMate.Tests.Transfer;

/// <summary>What is exported and taken in elsewhere is the same: messages to the byte, and the view that follows from them and the acts.</summary>
public sealed class ExportTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    [Fact]
    public async Task A_company_that_is_exported_and_imported_is_the_same() =>
        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            history = history with { Messages = [.. history.Messages.Select(ErasureTests.WithSaid)] };
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            var acts = new PlayedActs(stored.Store, company, history);
            foreach (var batch in history.Arrival(order: 1, company).Chunk(5))
            {
                await stored.Store.AppendAsync(batch);
                await acts.DoAsync(2);
            }

            await acts.DoAsync(int.MaxValue);
            using var file = new MemoryStream();
            await new Export(company, Messages.Ten, stored.Store).WriteAllAsync(file, withSecret: false, CancellationToken.None);

            var other = History.CompanyOf(stored.NextCompany(), history.Settings);
            var lines = LinesOf(file).Skip(1).Select(line => ImportLine.Read(line, other)).ToList();
            for (var times = 0; times < 2; times++) await stored.Store.AppendAsync([.. lines.Select(line => line.Message).OfType<Message>()]);

            using (var beside = stored.OpenBeside())
            {
                beside.BeginWrite([]);
                new ActImport(beside).Add(other, [.. lines.Select(line => line.Act).OfType<ExportedAct>()]);
                Assert.Equal(0, new ActImport(beside).Add(other, [.. lines.Select(line => line.Act).OfType<ExportedAct>()]));
                beside.Commit();
            }

            View.AssertEqual(
                StoredView.Read(stored.Store, company, history.Stored, random).ToText(),
                StoredView.Read(stored.Store, other, history.Stored, random).ToText(),
                "What was imported shows another view:");

            // What comes out of it again is the same to the byte, but for its own number.
            using var again = new MemoryStream();
            await new Export(other, Messages.Ten, stored.Store).WriteAllAsync(again, withSecret: false, CancellationToken.None);
            Assert.Equal(Encoding.UTF8.GetString(file.ToArray()), Encoding.UTF8.GetString(again.ToArray()));
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: history => history.ToString());

    [Fact]
    public async Task A_person_that_is_exported_and_imported_has_the_same_timeline() =>
        await Histories.OfSize(24, withActs: false).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            history = history with { Messages = [.. history.Messages.Select(ErasureTests.WithSaid)] };
            var company = History.CompanyOf(stored.NextCompany(), history.Settings);
            await stored.Store.AppendAsync(history.Arrival(order: 1, company));
            var view = StoredView.Read(stored.Store, company, history.Stored, random);
            if (view.Profiles.Count == 0) return;
            var profile = view.Profiles[random.Next(view.Profiles.Count)];
            Assert.True(ProfileId.TryParse(profile.Id, out var id));
            using var file = new MemoryStream();
            Assert.True(await new Export(company, Messages.Ten, stored.Store).WriteAsync(id, found =>
            {
                Assert.Equal(id, found);
                return file;
            }, CancellationToken.None));

            var other = History.CompanyOf(stored.NextCompany(), history.Settings);
            var messages = LinesOf(file).Skip(1).Select(line => ImportLine.Read(line, other).Message!).ToList();

            // What names the person beside somebody else concerns both; without the other's messages it may be the person's.
            var leaves = profile.Identifiers.Select(identifier => identifier.Id).ToHashSet();
            if (messages.Any(message => message.Named.Any(identifier => !leaves.Contains(identifier.Id.ToString())))) return;
            await stored.Store.AppendAsync(messages);
            using var snapshot = stored.Store.Read();
            var timeline = StoredView.Timeline(new(snapshot.Database, other), other, profile.Id, new(), random);
            Assert.Equal(
                view.Timelines.Single(timeline => timeline.Profile == profile.Id).Events.Select(shown => (shown.Source, shown.EventId, shown.EventData.GetRawText(), shown.Timestamp, shown.ReceivedAt)),
                timeline.Select(shown => (shown.Source, shown.EventId, shown.EventData.GetRawText(), shown.Timestamp, shown.ReceivedAt)));
        }, iter: StoreUnderTest.Histories(100), threads: 2, print: history => history.ToString());

    [Theory]
    [InlineData("[]", "it is not a JSON object")]
    [InlineData("""{"type":"event"}""", "it is not a line of an export")]
    [InlineData("""{"type":"event","origin":"browser","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","identifiers":[],"eventType":"a","eventData":{}}""", "it names neither a session nor a person")]
    [InlineData("""{"type":"event","origin":"server","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","identifiers":[{"kind":"email","value":"a"}],"eventType":"a","eventData":{}}""", "an e-mail in it is none")]
    [InlineData("""{"type":"event","origin":"server","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","identifiers":[{"kind":"externalId","value":"1"},{"kind":"email","value":"a@b"}],"eventType":"a","eventData":{}}""", "identifiers are not in the order userId, email, externalId, one of each at most")]
    [InlineData("""{"type":"event","origin":"server","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","sessionId":"s","identifiers":[],"eventType":"a","eventData":{"n":1e999}}""", "eventData.n")]
    [InlineData("""{"type":"act","actId":"m","kind":4,"identifier":{"kind":"email","value":"a@b.co"},"atMs":1760781600000,"actor":"a"}""", "an act of the kind 4 has identifier, other")]
    [InlineData("""{"type":"act","actId":"m","kind":4,"identifier":{"kind":"email","value":"a@b.co"},"other":{"kind":"email","value":"a@b.co"},"atMs":1760781600000,"actor":"a"}""", "the same one twice")]
    [InlineData("""{"type":"act","actId":"m","kind":3,"sessionId":"s","fromMs":1,"atMs":1760781600000,"actor":"a"}""", "an act of the kind 3 has sessionId, fromMs, toMs")]
    [InlineData("""{"type":"act","actId":"m","kind":9,"atMs":1760781600000,"actor":"a"}""", "there is no act of that kind")]
    [InlineData("""{"type":"act","actId":"m","kind":5,"identifier":{"kind":"email","value":"a@b.co"},"atMs":-1,"actor":"a"}""", "atMs lies before 2000")]
    [InlineData("""{"type":"event","origin":"browser","eventId":"a","timestamp":"1999-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","sessionId":"s","identifiers":[],"eventType":"a","eventData":{}}""", "timestamp lies before 2000")]
    [InlineData("""{"type":"event","origin":"browser","eventId":"a","timestamp":"2025-10-19T10:00:01Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","sessionId":"s","identifiers":[],"eventType":"a","eventData":{}}""", "further ahead than can be")]
    [InlineData("""{"type":"event","origin":"browser","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","sessionId":"undefined","identifiers":[],"eventType":"a","eventData":{}}""", "sessionId is a placeholder")]
    [InlineData("""{"type":"event","origin":"server","eventId":"a","timestamp":"2025-10-18T10:00:00Z","index":0,"receivedAt":"2025-10-18T10:00:00Z","identifiers":[{"kind":"externalId","value":"guest"}],"eventType":"a","eventData":{}}""", "an externalId is a placeholder")]
    [InlineData("""{"type":"company","format":"other/2","settings":{}}""", "its format is not trackmate-export/1")]
    public void A_line_that_is_none_of_an_export_says_what_is_wrong(string line, string reason)
    {
        var refused = Assert.Throws<FormatException>(() => ImportLine.Read(Encoding.UTF8.GetBytes(line), Messages.Company(1)));
        Assert.Contains(reason, refused.Message);
    }

    [Fact]
    public void What_was_sent_over_several_lines_is_one_line_and_comes_back_to_the_byte()
    {
        var company = Messages.Company(1);
        var sent = Messages.Browser(company, "s", "a", data: "{ \"text\" :\r\n \"ünï\" , \"n\": 1.50 }");
        var line = ExportLines.Of(new ExportedMessage(sent, new Dictionary<ProfileId, Identifier>()));

        Assert.Equal(line.Length - 1, line.AsSpan().IndexOf((byte)'\n'));
        Assert.Equal(sent.Data.ToArray(), ((TrackedEvent)ImportLine.Read(line, company).Message!).Data.ToArray());
    }

    private static IEnumerable<byte[]> LinesOf(MemoryStream file) => Encoding.UTF8.GetString(file.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.UTF8.GetBytes);
}
