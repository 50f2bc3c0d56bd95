"""What an agent asks for in its own words leads to the right shipped tool."""

from pathlib import Path

from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.search.index import Index

ROOT = Path(__file__).parents[2]
SHOWN = 5  # matches of a search, when the agent does not say how many

WANTED = """
what's the weather like in Paris right now | weather:current_weather
will it rain tomorrow in Amsterdam | weather:daily_forecast
temperature for the next 12 hours | weather:hourly_forecast
coordinates of a city | geocoding:find_place
latitude and longitude of Berlin | geocoding:find_place,nominatim:search_address
is the air polluted in Delhi | air_quality:current_air_quality
hay fever pollen count today | air_quality:current_pollen
surf conditions and wave height | marine:wave_forecast,marine:current_sea_state
summarize the wikipedia page about Ada Lovelace | wikipedia:article_summary
look something up in an encyclopedia | wikipedia:search_articles
what happened on this day in history | wikipedia:on_this_day
how popular is this wikipedia article | wikimedia_stats:article_views
date of birth of a famous person | wikidata:get_statements,wikidata:search_entities
find github repos about http clients | github:search_repositories
read source code file from a repo | github:read_file,gitlab:read_file
open bugs in a github project | github:list_issues
latest release notes of a project on github | github:list_releases
gitlab project issues | gitlab:list_issues
what version of react is latest | deps_dev:list_versions
does this python package have vulnerabilities | osv:check_package
docker image tags for postgres | docker_hub:list_tags
CVE details | osv:get_vulnerability
is python 3.9 still supported | endoflife:get_release,endoflife:list_releases
when does ubuntu 22.04 reach end of life | endoflife:get_release,endoflife:list_releases
license of an npm dependency | deps_dev:get_version
top tech news today | hacker_news:front_page
what does hacker news say about sqlite | hacker_news:search_stories,hacker_news:story_comments
stack overflow how to flatten a list | stack_exchange:search_questions
scientific papers about deep learning | crossref:search_works,openalex:search_papers
metadata for a DOI | crossref:get_work
find a researcher's h-index | openalex:search_authors
books by Ursula Le Guin | open_library:search_books,open_library:search_authors
look up a book by ISBN | open_library:get_book_by_isbn
geocode an address | nominatim:search_address
what street is at this coordinate | nominatim:reverse_geocode
capital and currency of Japan | countries:get_country
convert 100 dollars to euros | exchange_rates:latest_rates
historical exchange rate USD EUR in 2010 | exchange_rates:rates_on_date,exchange_rates:rate_history
recent earthquakes in Japan | earthquakes:recent_earthquakes,earthquakes:search_earthquakes
NASA astronomy picture of the day | nasa:picture_of_the_day
asteroids close to earth this week | nasa:near_earth_asteroids
GDP of Brazil over time | world_bank:get_indicator
population of Kenya | world_bank:get_indicator
public holidays in Germany 2026 | holidays:public_holidays
next bank holiday | holidays:next_public_holidays
define the word serendipity | dictionary:define_word
synonyms for happy | words:words_by_meaning,dictionary:define_word
words that rhyme with orange | words:rhymes
crossword help ?a?e | words:words_by_spelling
MX records of a domain | dns:lookup
paintings by Monet | art:search_artworks
pokemon stats pikachu | pokemon:get_pokemon
calories in nutella | food:search_products,food:get_product
scan a barcode of a food product | food:get_product
run a promql query | prometheus:query
which alerts are firing | prometheus:list_alerts
cpu usage over the last hour | prometheus:query_range,prometheus:query
search for a movie | tmdb:search_titles
who directed Blade Runner | tmdb:get_movie
trending tv shows | tmdb:trending_titles
search the web | brave_search:web_search
latest news about an eclipse | brave_search:news_search
anime recommendations with score | anilist:search_anime
when is sunset today | sun:sunrise_sunset,weather:daily_forecast
old version of a web page | internet_archive:find_snapshot
albums by Nina Simone | musicbrainz:list_albums
find a song by title and artist | musicbrainz:search_recordings
"""  # a request | the tools that serve it


def shipped() -> Index:
    return Index.build(
        compiled.tool
        for file in sorted((ROOT / "capabilities").glob("*.yaml"))
        if (found := load(file.read_bytes(), str(file), environ={}, redactor=Redactor()).capability)
        for compiled in found.tools.values()
    )


def test_a_request_in_plain_words_finds_its_tool() -> None:
    index = shipped()
    first, shown, lost = 0, 0, []
    for line in WANTED.strip().splitlines():
        query, _, tools = line.partition(" | ")
        found = [str(match.tool.ref) for match in index.search(query, SHOWN).matches]
        right = [ref in tools.split(",") for ref in found]
        first += right[:1] == [True]
        shown += any(right)
        if not any(right):
            lost.append(f"{query} -> {found}")
    total = len(WANTED.strip().splitlines())
    assert shown >= 0.95 * total, lost
    assert first >= 0.7 * total
